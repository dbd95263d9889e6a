import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals }) => ({ viewer: await locals.sessions.peek() });
