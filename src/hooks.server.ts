import type { Handle, HandleServerError } from '@sveltejs/kit';
import { createAuth } from '$lib/server/auth/lucia';
import { bindings } from '$lib/server/bindings';
import { setSecurityHeaders } from '$lib/server/headers';
import { themeOf } from '$lib/server/theme';

/** Bindings, then auth, then the page; security headers on whatever comes back. */
export const handle: Handle = async ({ event, resolve }) => {
  event.locals.auth = createAuth({ ...bindings(event.platform), event });
  const theme = themeOf(event.cookies);
  const response = await resolve(event, {
    transformPageChunk: ({ html }) => html.replace('%theme%', theme),
  });
  setSecurityHeaders(event, response);
  return response;
};

/** The log gets what happened; the visitor a sentence. */
export const handleError: HandleServerError = ({ error, status, message }) => {
  if (status !== 404)
    console.error(JSON.stringify({ event: 'unexpected-error', status, message: String(error) }));
  return { message: status === 404 ? 'There is no page here.' : message };
};
