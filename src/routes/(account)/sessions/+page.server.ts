import { fail, redirect } from '@sveltejs/kit';
import { requireSession, requireSessionAsItIs } from '$lib/server/sessions/current';
import { SESSIONS_SHOWN_MAX } from '$lib/server/policy';
import {
  listSessions,
  renameSession,
  revokeAllSessions,
  revokeOtherSessions,
  revokeSession,
  signOut,
} from '$lib/server/sessions/sessions';
import { failClosed } from '$lib/server/http/fail-closed';
import { formAction } from '$lib/server/http/action';
import { parseForm, renameForm, revokeForm } from '$lib/server/http/form';
import { leaveNotice } from '$lib/server/http/flash';
import { requireFreshProof } from './step-up';
import { isThrottled } from '$lib/server/throttle/throttle';
import { retryAfter } from '$lib/server/http/retry-after';
import { lastVisit } from './visits';
import type { Actions, PageServerLoadEvent, RequestEvent } from './$types';
import { answers } from './words';

export const load = failClosed(async (event: PageServerLoadEvent) => {
  const session = await requireSession(event);
  const { sessions, more } = await listSessions(event, session);
  const newSince = lastVisit(event.cookies, session.user.userId, event.url.protocol === 'https:');
  return { sessions: sessions.slice(0, SESSIONS_SHOWN_MAX), total: sessions.length, more, newSince };
});

export const actions = {
  revoke: formAction(async (event: RequestEvent, form) => {
    const current = await requireSession(event);
    const { data, errors } = parseForm(revokeForm, form);
    if (errors) return fail(400, { error: errors.sessionId ?? errors.form });
    const { sessionId } = data;
    if (sessionId === current.sessionId) {
      await signOut(event);
      leaveNotice(event, 'signed-out');
      redirect(303, '/login');
    }
    const { session, refusal } = await requireFreshProof(event, current, form, {
      action: 'revoke',
      sessionId,
    });
    if (refusal) return refusal;
    if ((await revokeSession(event, session, sessionId)) === 'unknown') {
      return fail(404, { error: answers.unknown });
    }
    return { message: answers.ended };
  }),

  rename: formAction(async (event: RequestEvent, form) => {
    const session = await requireSessionAsItIs(event);
    const { data, errors } = parseForm(renameForm, form);
    if (errors) return fail(400, { error: errors.name ?? errors.sessionId ?? errors.form });
    if ((await renameSession(event, session, data.sessionId, data.name)) === 'unknown') {
      return fail(404, { error: answers.unknown });
    }
    return { message: data.name ? answers.named(data.name) : answers.nameRemoved };
  }),

  revokeOthers: formAction(async (event: RequestEvent, form) => {
    const current = await requireSession(event);
    const { session, refusal } = await requireFreshProof(event, current, form, { action: 'revokeOthers' });
    if (refusal) return refusal;
    const outcome = await revokeOtherSessions(event, session);
    if (isThrottled(outcome)) return fail(429, { error: retryAfter(event, outcome) });
    return { message: answers.othersEnded(outcome) };
  }),

  revokeAll: formAction(async (event: RequestEvent, form) => {
    const current = await requireSession(event);
    const { session, refusal } = await requireFreshProof(event, current, form, { action: 'revokeAll' });
    if (refusal) return refusal;
    await revokeAllSessions(event, session);
    redirect(303, '/login?notice=signed-out-everywhere');
  }),
} satisfies Actions;
