import { getContext, setContext } from 'svelte';

const CONTEXT = Symbol('request-cost');
const NO_PAGES = ['/theme', '/look', '/api/session'];

type ServerTiming = readonly PerformanceServerTiming[];

/**
 * The cost of the current page, as the server reports it in `Server-Timing`. At first that is the cost of the page request. Later it is the
 * cost of the data request or action that brought what is shown.
 */
export class RequestCost {
  /** `null` until it is known, and always `null` if the server does not report it. `$lib/cost` parses it. */
  latest: ServerTiming | null = $state.raw(null);

  /** Loads the wording only when it is first needed. The server has already written the line for the page request. */
  async #rewrite(line: Element, timing: ServerTiming, isPageView: boolean) {
    const { costLineOf } = await import('./cost-line');
    const markup = costLineOf(timing, isPageView);
    // A later response may have arrived in the meantime.
    if (this.latest === timing && markup !== null) line.innerHTML = markup;
  }

  /** Starts to listen and keeps the line under the page (src/app.html) up to date. Call it in the browser. Returns a function that stops it. */
  follow(): () => void {
    // Some browsers lack the performance timeline, or leave the server timing out of it.
    if (typeof PerformanceObserver === 'undefined') return () => {};
    const line = document.querySelector('[data-cost]');
    const observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        // Changing the theme loads no page, and a look shows nothing new.
        if (!(entry instanceof PerformanceResourceTiming)) continue;
        if (NO_PAGES.some((path) => entry.name.endsWith(path))) continue;
        const { serverTiming, entryType, name } = entry;
        if (!serverTiming?.some((told) => told.name === 'kv-read')) continue;
        this.latest = serverTiming;
        // The server has written the line for the page request itself. Any other request is a page's data or an action.
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

/** Creates the one instance for a page. Called by the root layout. */
export function provideRequestCost(): RequestCost {
  return setContext(CONTEXT, new RequestCost());
}

/** Returns the instance of the page that the calling component is on. */
export function useRequestCost(): RequestCost {
  return getContext<RequestCost>(CONTEXT);
}
