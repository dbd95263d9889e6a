import { redirect } from '@sveltejs/kit';

export const trailingSlash = 'ignore';

/** Password managers send their users here to change a password: https://w3c.github.io/webappsec-change-password-url. */
export const GET = () => redirect(303, '/account');
