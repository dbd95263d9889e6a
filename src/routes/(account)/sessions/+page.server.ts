import { error, fail, redirect } from '@sveltejs/kit';
import { accountAction } from '$lib/server/http/action';
import { leaveNotice } from '$lib/server/http/flash';
import { parseForm, parseSessionIds, renameForm, revokeForm, typed } from '$lib/server/http/form';
import { clearSiteData, guarded } from '$lib/server/http/guards';
import { SESSIONS_SHOWN_MAX } from '$lib/server/policy';
import { sessionBriefly } from '$lib/words/device';
import { isLoopback } from '$lib/server/sessions/loopback';
import { bindings } from '$lib/server/stores/bindings';
import type { Actions, PageServerLoadEvent, RequestEvent } from './$types';
import { isSample } from './sample-mark';
import { addSamples, removeSamples } from './samples';
import { requireFreshProof } from './step-up';
import { lastVisit } from './visits';
import { answers } from './answers';
import { answers as errorAnswers } from '$lib/words/error';
import type { Wait } from '$lib/words/throttled';

export const load = guarded(async ({ locals, cookies, url }: PageServerLoadEvent) => {
  const { current, sessions } = locals.auth;
  const session = await current.require();
  const { sessions: listed, more, unlisted } = await sessions.list(session);
  const newSince = lastVisit(cookies, session.user.userId, url.protocol === 'https:');
  const shown = listed.slice(0, SESSIONS_SHOWN_MAX);
  const others = listed.length - 1;
  return {
    username: session.user.username,
    sessions: shown,
    otherCount: unlisted ? null : more ? `${others}+` : others,
    cut: shown.length < listed.length ? answers.cut(shown.length - 1, others, more) : null,
    newSince,
    signInAddress: `${url.origin}/login`,
    canAddSamples: isLoopback(url),
  };
});

const throttled = (error: Wait) => ({ error });

export const actions = {
  revoke: accountAction(async (event: RequestEvent, form) => {
    const { current, sessions } = event.locals.auth;
    const asking = await current.require();
    const { data, errors } = parseForm(revokeForm, form);
    if (errors) return fail(400, { error: errors.sessionId ?? errors.form });
    const { sessionId } = data;
    if (sessionId === asking.sessionId) {
      await sessions.signOut();
      clearSiteData(event);
      leaveNotice(event, 'signed-out');
      redirect(303, '/login');
    }
    const { session, refusal } = await requireFreshProof(event, asking, form, {
      action: 'revoke',
      sessionId,
    });
    if (refusal) return refusal;
    const outcome = await sessions.revoke(session, sessionId);
    if (outcome === 'unknown') return fail(404, { error: answers.unknown });
    const { ended } = outcome;
    return { message: answers.ended(ended && sessionBriefly({ ...ended, name: ended.name || null })) };
  }, throttled),

  revokeSome: accountAction(async (event: RequestEvent, form) => {
    const { current, sessions } = event.locals.auth;
    const asking = await current.require();
    const { ids, error } = parseSessionIds(form);
    if (error !== undefined) return fail(400, { error });
    const { session, refusal } = await requireFreshProof(event, asking, form, {
      action: 'revokeSome',
      sessionIds: ids,
    });
    if (refusal) return refusal;
    const count = await sessions.revokeSome(session, ids);
    if (count === 0) return fail(404, { error: answers.someUnknown });
    return { message: answers.someEnded(count) };
  }, throttled),

  rename: accountAction(async ({ locals }: RequestEvent, form) => {
    const { current, sessions } = locals.auth;
    const session = await current.requireAsItIs();
    const { data, errors } = parseForm(renameForm, form);
    if (errors?.name) {
      const refused = { sessionId: typed(form, 'sessionId'), name: typed(form, 'name'), error: errors.name };
      return fail(400, { rename: refused });
    }
    if (errors) return fail(400, { error: errors.sessionId ?? errors.form });
    if ((await sessions.rename(session, data.sessionId, data.name)) === 'unknown') {
      return fail(404, { error: answers.unknown });
    }
    return { message: data.name ? answers.named(data.name) : answers.nameRemoved };
  }, throttled),

  revokeOthers: accountAction(async (event: RequestEvent, form) => {
    const { current, accounts } = event.locals.auth;
    const asking = await current.require();
    const { session, refusal } = await requireFreshProof(event, asking, form, { action: 'revokeOthers' });
    if (refusal) return refusal;
    return { message: answers.othersEnded(await accounts.endOthers(session)) };
  }, throttled),

  revokeAll: accountAction(async (event: RequestEvent, form) => {
    const { current, sessions } = event.locals.auth;
    const asking = await current.require();
    const { session, refusal } = await requireFreshProof(event, asking, form, { action: 'revokeAll' });
    if (refusal) return refusal;
    await sessions.revokeAll(session);
    clearSiteData(event);
    leaveNotice(event, 'signed-out-everywhere');
    redirect(303, '/login');
  }, throttled),

  addSamples: accountAction(async (event: RequestEvent) => {
    const { current, sessions } = event.locals.auth;
    const session = await current.require();
    const where = samplesOf(event);
    // Without scripts, a reload sends the form again.
    const { sessions: listed } = await sessions.list(session);
    if (!listed.some(isSample)) await addSamples(where, session);
    return { message: answers.samplesAdded };
  }, throttled),

  removeSamples: accountAction(async (event: RequestEvent) => {
    const { current, sessions } = event.locals.auth;
    const { sessions: listed } = await sessions.list(await current.require());
    const samples = listed.filter(isSample).map(({ id }) => id);
    await removeSamples(samplesOf(event), samples);
    return { message: answers.samplesRemoved };
  }, throttled),
} satisfies Actions;

/** Returns where samples are stored. They are a demo for a server on this machine. On any other host, the action does not exist. */
function samplesOf({ url, platform, locals }: RequestEvent) {
  if (!isLoopback(url)) error(404, { message: errorAnswers.noAction });
  return { kv: locals.stores.kv, layout: bindings(platform).layout };
}
