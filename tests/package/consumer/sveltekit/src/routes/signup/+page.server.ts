import { redirect } from '@sveltejs/kit';
import { createLucia } from '$lib/server/lucia';
import type { Actions } from './$types';

export const actions: Actions = {
  default: async ({ request, locals, platform }) => {
    const form = await request.formData();
    if (!platform) throw new Error('no platform');
    const username = String(form.get('username'));
    const key = {
      providerId: 'username',
      providerUserId: username,
      password: String(form.get('password')),
    };
    const user = await createLucia(platform.env).createUser({ key, attributes: { username } });
    await locals.sessions.signIn(user.userId);
    redirect(303, '/sessions');
  },
};
