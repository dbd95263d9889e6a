import { redirect } from '@sveltejs/kit';

export const trailingSlash = 'ignore';

/** Where a password manager sends its user to change the password: https://w3c.github.io/webappsec-change-password-url. */
export const GET = () => redirect(303, '/account');
