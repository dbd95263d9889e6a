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

/** Sets up the bindings, then auth, then renders the page. Every response gets the security headers. */
export const handle: Handle = async ({ event, resolve }) => {
  let response: Response;
  try {
    // Must come first: Lucia's own check of the Origin header throws when its value is not a URL ("null").
    response = refusal(event) ?? (await answer({ event, resolve }));
  } catch (thrown) {
    // A binding is missing. No SvelteKit page can render without it, so the response is only the sentence that names it.
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
    // By the time a page is rendered its loads have run, so its cost is known. `%cost%` is the last thing in app.html. No visitor's text
    // comes before `%theme%` or is followed by `</body>`.
    transformPageChunk: ({ html }) =>
      html
        .replace('%lang%', LOCALE)
        .replace('%theme%', theme)
        .replace(/%cost%(?=\s*<\/body>)/, () =>
          showCost ? costLine(locals.stores.meter, event.request.method) : '',
        ),
  });
  // A password comes only in a form, and a form is a POST.
  const challenge = event.request.method === 'POST' && locals.auth.deviceKeys?.offer();
  if (challenge) response.headers.set('Secure-Session-Registration', registrationOffer(challenge));
  return response;
};

/** Logs what happened and shows the visitor one sentence. */
export const handleError: HandleServerError = ({ error, status, message, event }) => {
  if (status === 404) return { message: event.request.method === 'POST' ? answers.noAction : answers.noPage };
  if (status < 500) return { message };
  console.error(JSON.stringify({ event: 'unexpected-error', status, message: String(error) }));
  const { stores } = event.locals;
  // Even an unexpected error tells the visitor what this request did before it.
  return { message, ...(stores?.deeds.size && { claim: claimOf(stores.deeds) }) };
};
