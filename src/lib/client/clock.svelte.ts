import { getContext, setContext } from 'svelte';

const CONTEXT = Symbol('clock');
const TICK_MILLISECONDS = 30_000;

/**
 * The time that "3 days ago" counts from. It begins as the server's, so that the server and the first client render
 * agree to the letter, and runs on from there: a device whose own clock is wrong still reads right.
 */
export class Clock {
  /** Epoch milliseconds by the server's clock. */
  now = $state(0);
  /** Of exact times; `null` is the reader's own, which only the browser knows. */
  zone: 'UTC' | null = $state('UTC');

  constructor(serverNow: number) {
    this.now = serverNow;
  }

  /** Starts ticking, in the browser; returns what stops it. */
  start(): () => void {
    const ahead = this.now - Date.now();
    const tick = () => (this.now = Date.now() + ahead);
    const timer = setInterval(tick, TICK_MILLISECONDS);
    // Timers sleep with a hidden tab; a tab that is looked at again must not show an old time.
    document.addEventListener('visibilitychange', tick);
    this.zone = null;
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', tick);
    };
  }
}

/** One clock for all times of a page; the root layout makes it. */
export function provideClock(serverNow: number): Clock {
  return setContext(CONTEXT, new Clock(serverNow));
}

/** The clock of the page that the calling component is on. */
export function useClock(): Clock {
  return getContext<Clock>(CONTEXT);
}
