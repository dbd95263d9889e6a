/** Requests to a worker on this machine, as a browser on it would send them. */

/**
 * @param {string} origin
 * @param {string} path
 * @param {{ cookie?: string, form?: Record<string, string>, signal?: AbortSignal }} [request] `cookie`: the session cookie's value
 * @returns {Promise<Response>}
 */
export function visit(origin, path, { cookie, form, signal } = {}) {
  return fetch(origin + path, {
    method: form ? 'POST' : 'GET',
    redirect: 'manual',
    headers: {
      origin,
      accept: 'text/html',
      // What Cloudflare's edge adds; loopback has no throttle of its own.
      'cf-connecting-ip': '127.0.0.1',
      ...(cookie && { cookie: `session=${cookie}` }),
    },
    ...(form && { body: new URLSearchParams(form) }),
    ...(signal && { signal }),
  });
}
