import { tick } from 'svelte';
import { invalidateAll } from '$app/navigation';
import { noteRows } from './row-motion';

/** The longest time that a reader should have to look at a busy button. */
const WAIT_MILLISECONDS = 10_000;
/** SvelteKit's own parameters: which loads of the page to run again, one digit for each, and whether the page's path ends in a slash. */
const LOADS = 'x-sveltekit-invalidated';
const TRAILING_SLASH = 'x-sveltekit-trailing-slash';

/** The load that is running. SvelteKit runs one at a time. A call in the meantime needs newer data, so it waits and then loads again. */
let underWay: Promise<unknown> = Promise.resolve();

/**
 * Reloads the data of the current page. Returns whether the data is new. If the load fails (no network, a store that is down, a response
 * that is not the app's), the page stays as it is. `invalidateAll` alone would replace it with an error page, and lose what somebody is
 * typing.
 *
 * SvelteKit calls `window.fetch` for the data, deliberately, so that it can be replaced. During the load it is replaced by a function that
 * turns a failure into "skip", which means: keep the current data. docs/decisions/0018-pages-that-stay.md
 */
export function loadAgain(): Promise<boolean> {
  const next = underWay.then(load, load);
  underWay = next;
  return next;
}

async function load(): Promise<boolean> {
  const ask = window.fetch;
  const { pathname, search } = location;
  const path = `${pathname.replace(/\/$/, '')}/__data.json`;
  let isNew = false;
  window.fetch = async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input, location.href);
    const loads = url.searchParams.get(LOADS);
    for (const own of [LOADS, TRAILING_SLASH]) url.searchParams.delete(own);
    // If the user goes to another page in the meantime, a failure to load that page must be visible.
    if (loads === null || url.pathname !== path || url.search !== search) return ask(input, init);
    const answer = await dataOf(ask, input, init);
    isNew = answer !== null;
    return answer ?? keepData(loads.length);
  };
  const moveRows = noteRows();
  try {
    await invalidateAll();
    await tick();
    moveRows();
  } finally {
    window.fetch = ask;
  }
  // A user who went to another page has that page's data.
  return isNew || location.pathname !== pathname;
}

/** Returns the response if it holds a page's data or redirects. Returns `null` for every failure. */
async function dataOf(
  ask: typeof fetch,
  input: RequestInfo | URL,
  init?: RequestInit,
): Promise<Response | null> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), WAIT_MILLISECONDS);
  try {
    const response = await ask(input, { ...init, signal: limit.signal });
    if (!response.ok) return null;
    const text = await response.text();
    return isData(JSON.parse(text)) ? new Response(text, { headers: response.headers }) : null;
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
  }
}

type Answer = { type?: unknown; nodes?: ({ type?: unknown } | null)[] } | null;

function isData(answer: Answer): boolean {
  if (answer?.type === 'redirect') return true;
  return answer?.type === 'data' && !!answer.nodes?.every((node) => node?.type !== 'error');
}

function keepData(loads: number): Response {
  const nodes = Array.from({ length: loads }, () => ({ type: 'skip' }));
  return new Response(JSON.stringify({ type: 'data', nodes }));
}
