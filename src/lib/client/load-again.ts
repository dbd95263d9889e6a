import { tick } from 'svelte';
import { invalidateAll } from '$app/navigation';
import { noteRows } from './row-motion';

/** As long as somebody may wait for it with a button turning. */
const WAIT_MILLISECONDS = 10_000;
/** SvelteKit's own: which loads of the page to run again, one digit for each. */
const LOADS = 'x-sveltekit-invalidated';

/** The load under way: SvelteKit has one at a time, and what asks meanwhile wants what comes after it. */
let underWay: Promise<unknown> = Promise.resolve();

/**
 * Loads the data of the page in view anew. If that fails (no network, a store that is down, an answer that is not ours), the page stays
 * as it is, where `invalidateAll` alone would put an error page over what somebody types. Returns whether the data is new.
 *
 * SvelteKit asks for the data through `window.fetch`, on purpose, so that it can be replaced. For the time of the load it is replaced by
 * one that answers a failure with "skip": keep the data you have. docs/decisions/0018-pages-that-stay.md
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
    url.searchParams.delete(LOADS);
    // Of a page that somebody goes to meanwhile, a failure is to be seen.
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
  // Somebody who went on to another page has that one's data.
  return isNew || location.pathname !== pathname;
}

/** The answer, if it holds a page's data or leads to another page; `null` for every failure. */
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
