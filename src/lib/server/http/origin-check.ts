import type { RequestEvent } from '@sveltejs/kit';
import { problem } from './problem';

const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS'];

/**
 * The answer to a request that no page should see, or `null`.
 * A browser sends `Origin` with every unsafe request, so one that comes from elsewhere, or without it, is refused
 * (ASVS 3.5.1). Kit looks an action up by its name in an object, so the names every object has are no actions.
 */
export function refusal({ request, url }: RequestEvent): Response | null {
  if (SAFE_METHODS.includes(request.method)) return null;
  if (request.headers.get('origin') !== url.origin) {
    const text = `Send this request from ${url.origin}, with its Origin header.`;
    return url.pathname.startsWith('/api/')
      ? problem(403, 'Cross-origin request', text)
      : new Response(`Cross-origin request. ${text}\n`, { status: 403 });
  }
  const action = [...url.searchParams.keys()].find((key) => key.startsWith('/'))?.slice(1);
  if (action !== undefined && (action === 'default' || action in {})) {
    return new Response('There is no such action.\n', { status: 404 });
  }
  return null;
}
