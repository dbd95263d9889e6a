import type { Handle, HandleServerError } from '@sveltejs/kit';
import { breachLookup } from '$lib/server/accounts/breach';
import { createAuth } from '$lib/server/auth';
import { requestFacts } from '$lib/server/sessions/request-facts';
import { guardStores } from '$lib/server/stores/guarded';
import { BindingError, bindings } from '$lib/server/stores/bindings';
import { claimOf } from '$lib/server/http/claims';
import { registrationOffer } from '$lib/server/http/device-session';
import { costLine } from '$lib/server/http/cost-line';
import { setSecurityHeaders } from '$lib/server/http/headers';
import { refusal } from '$lib/server/http/origin-check';
import { inForm, refuse } from '$lib/server/http/refuse';
import { themeOf } from '$lib/server/http/theme';
import { answers } from '$lib/words/error';
import { LOCALE } from '$lib/words/locale';

/** Bindings, then auth, then the page; security headers on whatever comes back. */
export const handle: Handle = async ({ event, resolve }) => {
  let response: Response;
  try {
    // First of all: Lucia's own look at the Origin header throws on what is no URL ("null").
    response = refusal(event) ?? (await answer({ event, resolve }));
  } catch (thrown) {
    // A binding is missing: no page of Kit's can be shown without it, only the sentence that says which.
    if (!(thrown instanceof BindingError)) throw thrown;
    console.error(thrown.message);
    response = refuse(event.request, { status: 503, detail: thrown.message });
  }
  response = await inForm(event.request, response);
  setSecurityHeaders(event, response);
  return response;
};

const answer: Handle = async ({ event, resolve }) => {
  const { kv, db, layout, cookieSecrets, deviceBinding, showCost, breachCheck, race, sourceUrl } = bindings(
    event.platform,
  );
  const { locals } = event;
  locals.stores = guardStores(kv, db);
  locals.facts = requestFacts(event);
  locals.auth = createAuth({
    stores: locals.stores,
    facts: locals.facts,
    layout,
    cookieSecrets,
    deviceBinding,
  });
  locals.showCost = showCost;
  locals.hasRace = race;
  locals.sourceUrl = sourceUrl;
  locals.isBreached = breachLookup(breachCheck, { fetch });
  const theme = themeOf(event.cookies);
  const response = await resolve(event, {
    // When a page is rendered its loads are done, so its cost is known. `%cost%` is the last thing in app.html: no text of
    // a visitor comes before `%theme%`, or has a `</body>` behind it.
    transformPageChunk: ({ html }) =>
      html
        .replace('%lang%', LOCALE)
        .replace('%theme%', theme)
        .replace(/%cost%(?=\s*<\/body>)/, () =>
          showCost ? costLine(locals.stores.meter, event.request.method) : '',
        ),
  });
  const challenge = locals.auth.deviceKeys?.offer();
  if (challenge) response.headers.set('Secure-Session-Registration', registrationOffer(challenge));
  return response;
};

/** The log gets what happened; the visitor a sentence. */
export const handleError: HandleServerError = ({ error, status, message, event }) => {
  if (status === 404) return { message: event.request.method === 'POST' ? answers.noAction : answers.noPage };
  if (status < 500) return { message };
  console.error(JSON.stringify({ event: 'unexpected-error', status, message: String(error) }));
  const { stores } = event.locals;
  // A fault of ours does not hide what was done before it.
  return { message, ...(stores?.deeds.size && { claim: claimOf(stores.deeds) }) };
};
