import { getContext, setContext } from 'svelte';

const CONTEXT = Symbol('clock');
const TICK_MILLISECONDS = 30_000;

/**
 * The time that "3 days ago" is counted from. It starts at the server's time, so that the server and the first client render produce the
 * same text, and runs on from there. A device whose own clock is wrong still shows correct distances.
 */
export class Clock {
  /** The server's time, epoch milliseconds. */
  now = $state(0);
  /** The time zone of exact times. `null` means the reader's own, which only the browser knows. */
  zone: 'UTC' | null = $state('UTC');

  constructor(serverNow: number) {
    this.now = serverNow;
  }

  /** Starts ticking; call it in the browser. Returns a function that stops it. */
  start(): () => void {
    const ahead = this.now - Date.now();
    const tick = () => (this.now = Date.now() + ahead);
    const timer = setInterval(tick, TICK_MILLISECONDS);
    // Timers pause in a hidden tab. When the tab becomes visible, it must not show an old time.
    document.addEventListener('visibilitychange', tick);
    this.zone = null;
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', tick);
    };
  }
}

/** Creates the one clock for all times on a page. Called by the root layout. */
export function provideClock(serverNow: number): Clock {
  return setContext(CONTEXT, new Clock(serverNow));
}

/** Returns the clock of the page that the calling component is on. */
export function useClock(): Clock {
  return getContext<Clock>(CONTEXT);
}
