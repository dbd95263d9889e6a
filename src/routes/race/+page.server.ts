import { formAction } from '$lib/server/http/action';
import { guarded } from '$lib/server/http/guards';
import type { Wait } from '$lib/words/throttled';
import type { Actions, PageServerLoadEvent, RequestEvent } from './$types';
import { endRace, look, startRace } from './race';

/** Open to everyone, without an account. */
export const load = guarded(async (event: PageServerLoadEvent) => ({ race: await look(event) }));

const throttled = (error: Wait) => ({ error });

export const actions = {
  start: formAction((event: RequestEvent) => startRace(event), throttled),
  end: formAction((event: RequestEvent) => endRace(event), throttled),
} satisfies Actions;
