import { accountAction } from '$lib/server/http/action';
import { typed } from '$lib/server/http/form';
import { guarded } from '$lib/server/http/guards';
import { listOwnRecords } from './own-records';
import { tryToSteal } from './steal';
import type { Actions, PageServerLoadEvent, RequestEvent } from './$types';

export const load = guarded(async ({ locals }: PageServerLoadEvent) => {
  const { user, sessionId } = await locals.auth.current.require();
  const own = await listOwnRecords(locals.stores.kv, user.userId, sessionId);
  return { ...own, currentSessionId: sessionId };
});

export const actions = {
  steal: accountAction(
    async (event: RequestEvent, form) => {
      await event.locals.auth.current.require();
      const pasted = typed(form, 'pasted');
      return { pasted, attempts: await tryToSteal(event, pasted) };
    },
    () => ({ pasted: '', attempts: null }),
  ),
} satisfies Actions;
