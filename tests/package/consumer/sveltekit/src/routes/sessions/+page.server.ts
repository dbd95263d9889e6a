import { requireSession } from '$lib/server/require-session';
import type { Actions, PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals }) => {
  await requireSession(locals);
  return { list: await locals.sessions.list() };
};

export const actions: Actions = {
  end: async ({ request, locals }) => {
    const form = await request.formData();
    await requireSession(locals);
    return { outcome: await locals.sessions.revoke(String(form.get('id'))) };
  },
};
