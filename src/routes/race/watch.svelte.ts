import * as v from 'valibot';
import { lookSchema, PAGES, SIDES, type Look } from './look';

const LOOK_EVERY_MILLISECONDS = 1_000;
const TICK_MILLISECONDS = 100;

/** When a refusal was first seen, seconds after the end, by side and page. */
type Refusals = Record<string, number | null>;

const keyOf = (side: (typeof SIDES)[number], page: (typeof PAGES)[number]) => `${side} ${page}`;

/** Watches a race: looks again every second while it is on and the page is in view, and counts the time in between. */
export class RaceWatch {
  look: Look = $state.raw(null);
  /** The server's time, epoch milliseconds. */
  #now = $state(0);
  /** By how much the server's clock is ahead of this device's. */
  #ahead = 0;
  #refusals: Refusals = $state.raw({});
  /** Of what the page itself brought: a look that was asked for before is out of date. */
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

  /** When a page was first seen refused, seconds after the end; `null` if it is not, or nobody watched. */
  refusedAfter(side: (typeof SIDES)[number], page: (typeof PAGES)[number]): number | null {
    return this.#refusals[keyOf(side, page)] ?? null;
  }

  /** Takes over what the page was loaded with, or what an action answered. */
  see(look: Look): void {
    this.#generation += 1;
    this.#take(look);
  }

  /** Starts looking, in the browser; returns what stops it. */
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
      // Only of what was seen to go on until then.
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
      // No answer changes nothing: the next look may bring one.
    } finally {
      this.#isAsking = false;
    }
  }

  /** Nothing is on, or there is nothing left to see. */
  get #isOver(): boolean {
    const { look } = this;
    if (!look) return true;
    return look.endedAt !== null && SIDES.every((side) => PAGES.every((page) => !look[side][page]));
  }
}
