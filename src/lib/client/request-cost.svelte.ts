import { getContext, setContext } from 'svelte';

const CONTEXT = Symbol('request-cost');
const NO_PAGES = ['/theme', '/look', '/api/session'];

type ServerTiming = readonly PerformanceServerTiming[];

/**
 * What the page in view cost, as the server told it in `Server-Timing`: first that of the page itself, later that of
 * the data or action request that brought what is shown.
 */
export class RequestCost {
  /** `null` until it is known, and for good where the server does not tell. `$lib/cost` reads it. */
  latest: ServerTiming | null = $state.raw(null);

  /** The words come when they are first needed: the server wrote those of the page itself. */
  async #rewrite(line: Element, timing: ServerTiming, isPageView: boolean) {
    const { costLineOf } = await import('./cost-line');
    const markup = costLineOf(timing, isPageView);
    // A later answer may have come meanwhile.
    if (this.latest === timing && markup !== null) line.innerHTML = markup;
  }

  /** Starts listening, in the browser, and keeps the line under the page (src/app.html) up to date; returns what stops it. */
  follow(): () => void {
    // The timeline, or what it says of the server, is not in every browser.
    if (typeof PerformanceObserver === 'undefined') return () => {};
    const line = document.querySelector('[data-cost]');
    const observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        // Switching the theme brings no page, and a look shows nothing new.
        if (!(entry instanceof PerformanceResourceTiming)) continue;
        if (NO_PAGES.some((path) => entry.name.endsWith(path))) continue;
        const { serverTiming, entryType, name } = entry;
        if (!serverTiming?.some((told) => told.name === 'kv-read')) continue;
        this.latest = serverTiming;
        // The server wrote the line of the page itself. Of the rest, what is not a page's data is an action's answer.
        if (line && entryType === 'resource') {
          void this.#rewrite(line, serverTiming, name.includes('/__data.json'));
        }
      }
    });
    observer.observe({ type: 'navigation', buffered: true });
    observer.observe({ type: 'resource' });
    return () => observer.disconnect();
  }
}

/** One for all of a page; the root layout makes it. */
export function provideRequestCost(): RequestCost {
  return setContext(CONTEXT, new RequestCost());
}

/** That of the page that the calling component is on. */
export function useRequestCost(): RequestCost {
  return getContext<RequestCost>(CONTEXT);
}
