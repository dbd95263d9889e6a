import { redirect } from '@sveltejs/kit';
import { readForm } from '$lib/server/http/form';
import { localPath } from '$lib/server/http/redirect-target';
import { parseTheme, THEME_COOKIE } from '$lib/server/http/theme';
import type { RequestHandler } from './$types';

export const trailingSlash = 'ignore';

const ONE_YEAR_SECONDS = 365 * 24 * 60 * 60;

/** Stores the chosen theme in a cookie and redirects to the page where it was chosen. */
export const POST: RequestHandler = async ({ request, cookies, url }) => {
  const theme = parseTheme((await readForm(request)).get('theme'));
  if (theme) {
    cookies.set(THEME_COOKIE, theme, {
      path: '/',
      maxAge: ONE_YEAR_SECONDS,
      sameSite: 'lax',
      secure: url.protocol === 'https:',
    });
  }
  redirect(303, localPath(request.headers.get('referer') ?? '', url.origin) ?? '/');
};
