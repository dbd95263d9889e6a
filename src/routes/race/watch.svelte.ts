import * as v from 'valibot';
import { lookSchema, PAGES, SIDES, type Look } from './look';

const LOOK_EVERY_MILLISECONDS = 1_000;
const TICK_MILLISECONDS = 100;

/** Seconds from the end to the first refusal that was seen, by side and page. */
type Refusals = Record<string, number | null>;

const keyOf = (side: (typeof SIDES)[number], page: (typeof PAGES)[number]) => `${side} ${page}`;

/** Watches a race. It looks every second while a race is on and the page is visible, and updates the elapsed time in between. */
export class RaceWatch {
  look: Look = $state.raw(null);
  /** The server's time, epoch milliseconds. */
  #now = $state(0);
  /** How far the server's clock is ahead of this device's. */
  #ahead = 0;
  #refusals: Refusals = $state.raw({});
  /** Increases when the page brings a state of its own. A look that started before is then out of date. */
  #generation = 0;
  #isAsking = false;

  constructor(look: Look) {
    this.look = look;
    this.#now = look?.now ?? 0;
  }

  /** Seconds since both sessions were ended; `null` before. */
  get elapsedSeconds(): number | null {
    const endedAt = this.look?.endedAt ?? null;
    return endedAt === null ? null : Math.max(this.#now - endedAt, 0) / 1_000;
  }

  /** Seconds from the end to the first refusal of a page that was seen. `null` if it is not refused, or if nobody watched. */
  refusedAfter(side: (typeof SIDES)[number], page: (typeof PAGES)[number]): number | null {
    return this.#refusals[keyOf(side, page)] ?? null;
  }

  /** Takes over the state from the page's data or from an action's result. */
  see(look: Look): void {
    this.#generation += 1;
    this.#take(look);
  }

  /** Starts looking; call it in the browser. Returns a function that stops it. */
  start(): () => void {
    const looks = setInterval(() => void this.#lookAgain(), LOOK_EVERY_MILLISECONDS);
    const ticks = setInterval(() => (this.#now = Date.now() + this.#ahead), TICK_MILLISECONDS);
    return () => {
      clearInterval(looks);
      clearInterval(ticks);
    };
  }

  #take(next: Look): void {
    const before = this.look;
    this.look = next;
    if (!next) return;
    this.#ahead = next.now - Date.now();
    this.#now = next.now;
    const { endedAt, now } = next;
    if (endedAt === null) {
      this.#refusals = {};
      return;
    }
    const firstSeen = (side: (typeof SIDES)[number], page: (typeof PAGES)[number]) => {
      if (next[side][page]) return null;
      // Counts only if the device was seen to be let in at the look before.
      return this.refusedAfter(side, page) ?? (before?.[side][page] ? (now - endedAt) / 1_000 : null);
    };
    this.#refusals = Object.fromEntries(
      SIDES.flatMap((side) => PAGES.map((page) => [keyOf(side, page), firstSeen(side, page)])),
    );
  }

  async #lookAgain(): Promise<void> {
    if (this.#isAsking || this.#isOver || document.visibilityState === 'hidden') return;
    this.#isAsking = true;
    const generation = this.#generation;
    try {
      const response = await fetch('/race/look');
      if (!response.ok) return;
      const look = v.parse(lookSchema, await response.json());
      if (generation === this.#generation) this.#take(look);
    } catch {
      // A failed look changes nothing. The next one may succeed.
    } finally {
      this.#isAsking = false;
    }
  }

  /** There is no race, or there is nothing left to see. */
  get #isOver(): boolean {
    const { look } = this;
    if (!look) return true;
    return look.endedAt !== null && SIDES.every((side) => PAGES.every((page) => !look[side][page]));
  }
}
