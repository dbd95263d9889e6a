import { redirect } from '@sveltejs/kit';
import { createLucia } from '$lib/server/lucia';
import type { Actions } from './$types';

export const actions: Actions = {
  default: async ({ request, locals, platform }) => {
    const form = await request.formData();
    if (!platform) throw new Error('no platform');
    const lucia = createLucia(platform.env);
    const key = await lucia.useKey('username', String(form.get('username')), String(form.get('password')));
    await locals.sessions.signIn(key.userId);
    redirect(303, '/sessions');
  },
};
