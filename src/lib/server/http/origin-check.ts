import type { RequestEvent } from '@sveltejs/kit';
import { answers } from '$lib/words/error';
import { refuse } from './refuse';

const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS'];

/**
 * The answer to a request that no page should see, or `null`.
 * A browser sends `Origin` with every unsafe request, also with those that it makes by itself for a bound session (seen in Chromium 156), so one that comes from elsewhere, or without it, is refused
 * (ASVS 3.5.1). Kit looks an action up by its name in an object, so the names every object has are no actions.
 */
export function refusal({ request, url }: RequestEvent): Response | null {
  if (SAFE_METHODS.includes(request.method)) return null;
  if (request.headers.get('origin') !== url.origin) {
    return refuse(request, {
      status: 403,
      title: 'Cross-origin request',
      detail: `Send this request from ${url.origin}, with its Origin header.`,
    });
  }
  const action = [...url.searchParams.keys()].find((key) => key.startsWith('/'))?.slice(1);
  if (action !== undefined && (action === 'default' || action in {})) {
    return refuse(request, { status: 404, detail: answers.noAction });
  }
  return null;
}
