import { json } from '@sveltejs/kit';
import { apiEndpoint, otherMethods } from '$lib/server/http/api';
import { look } from '../race';
import type { RequestEvent } from './$types';

export const trailingSlash = 'ignore';

/** What the two devices get now, for a page that is open; `null` where no race is on. */
export const GET = apiEndpoint(async (event: RequestEvent) => json(await look(event)));

export const fallback = otherMethods(['GET', 'HEAD']);
