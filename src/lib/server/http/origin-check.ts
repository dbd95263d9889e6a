import type { RequestEvent } from '@sveltejs/kit';
import { answers } from '$lib/words/error';
import { refuse } from './refuse';

const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS'];

/**
 * Returns the response to a request that no page should handle, or `null`. A browser sends `Origin` with every unsafe request, even with
 * those it makes by itself for a bound session (seen in Chromium 156). So a request with a foreign origin or without one is refused (ASVS
 * 3.5.1). Kit looks actions up by name in an object, so names that every object inherits are refused as actions.
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
