import { json } from '@sveltejs/kit';
import { apiEndpoint, otherMethods } from '$lib/server/http/api';
import { look } from '../race';
import type { RequestEvent } from './$types';

export const trailingSlash = 'ignore';

/** Returns what the two devices can open now, for an open page; `null` if there is no race. */
export const GET = apiEndpoint(async (event: RequestEvent) => json(await look(event)));

export const fallback = otherMethods(['GET', 'HEAD']);
