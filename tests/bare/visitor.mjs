/** Requests to a worker on this machine, as a browser on it would send them. */

/**
 * @param {string} origin
 * @param {string} path
 * @param {{ cookie?: string, form?: Record<string, string>, address?: string, signal?: AbortSignal }} [request]
 *   `cookie`: the session cookie's value. `address`: where it comes from; loopback, unless told, has no throttle of its own
 * @returns {Promise<Response>}
 */
export function visit(origin, path, { cookie, form, address = '127.0.0.1', signal } = {}) {
  return fetch(origin + path, {
    method: form ? 'POST' : 'GET',
    redirect: 'manual',
    headers: {
      origin,
      accept: 'text/html',
      // The header that Cloudflare's edge adds.
      'cf-connecting-ip': address,
      ...(cookie && { cookie: `pages-session=${cookie}` }),
    },
    ...(form && { body: new URLSearchParams(form) }),
    ...(signal && { signal }),
  });
}
