import { randomInt } from 'node:crypto';
import {
  D1_RETRY_PARTS,
  D1_RETRY_WAIT_MILLISECONDS,
  STORE_TIMEOUT_MILLISECONDS,
  STORE_TIMEOUT_PARTS,
} from '../policy';

/** D1's transient errors: those for which Cloudflare says "retry the operation" (D1, "Debug D1", list of D1_ERRORs). */
const PASSING = [
  'D1 DB reset because its code was updated',
  'Internal error while starting up D1 DB storage caused object to be reset',
  'Internal error in D1 DB storage caused object to be reset',
  'Network connection lost',
  'Cannot resolve D1 DB due to transient issue on remote node',
  "Can't read from request stream because client disconnected",
];

const PART_MILLISECONDS = STORE_TIMEOUT_MILLISECONDS / STORE_TIMEOUT_PARTS;

/** No answer within the time limit. */
export class TimeLimitPassed extends Error {
  constructor(milliseconds: number) {
    super(`no answer within ${milliseconds} ms`);
    this.name = 'TimeLimitPassed';
  }
}

export function isPassing(error: unknown): boolean {
  return error instanceof Error && PASSING.some((words) => error.message.includes(words));
}

/**
 * Resolves with the answer of `work`. Rejects after `STORE_TIMEOUT_MILLISECONDS`, or later on a busy thread. One password hash blocks the
 * Worker's thread for all its requests. After a queue of hashes, a single timer would fire before an answer that arrived long ago is read.
 * With one timer per part, the answer gets a turn between two timers.
 *
 * With `onAgain`, `work` runs once more after a short wait, on a transient error or after a second without an answer. `onAgain` is called
 * before that. The first answer counts. The time limit covers both runs.
 */
export function inTime<T>(work: () => Promise<T>, onAgain?: (error: unknown) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    let limit: ReturnType<typeof setTimeout>;
    let pause: ReturnType<typeof setTimeout> | undefined;
    let mayRepeat = onAgain !== undefined;
    let isOver = false;
    let underWay = 0;

    function end(tell: () => void): void {
      isOver = true;
      clearTimeout(limit);
      clearTimeout(pause);
      tell();
    }

    function send(): void {
      underWay += 1;
      work().then(
        (answer) => end(() => resolve(answer)),
        (error: unknown) => {
          underWay -= 1;
          if (isOver) return;
          if (mayRepeat && isPassing(error)) sendAgain(error);
          // The other run, sent or about to be sent, may still bring an answer.
          else if (!isPassing(error) || (underWay === 0 && !pause)) end(() => reject(error));
        },
      );
    }

    function sendAgain(error: unknown): void {
      mayRepeat = false;
      pause = setTimeout(
        () => {
          pause = undefined;
          onAgain?.(error);
          send();
        },
        randomInt(D1_RETRY_WAIT_MILLISECONDS.least, D1_RETRY_WAIT_MILLISECONDS.most),
      );
    }

    function wait(part = 1): void {
      limit = setTimeout(() => {
        if (part === STORE_TIMEOUT_PARTS)
          return end(() => reject(new TimeLimitPassed(STORE_TIMEOUT_MILLISECONDS)));
        if (part === D1_RETRY_PARTS && mayRepeat) sendAgain(new TimeLimitPassed(part * PART_MILLISECONDS));
        wait(part + 1);
      }, PART_MILLISECONDS);
    }

    wait();
    send();
  });
}

/** Rejects after this many milliseconds, counted in parts as above. */
export function timeLimit(milliseconds: number): { passed: Promise<never>; cancel: () => void } {
  let timer: ReturnType<typeof setTimeout>;
  const passed = new Promise<never>((_, reject) => {
    const wait = (parts: number): void => {
      timer = setTimeout(() => {
        if (parts > 1) wait(parts - 1);
        else reject(new TimeLimitPassed(milliseconds));
      }, milliseconds / STORE_TIMEOUT_PARTS);
    };
    wait(STORE_TIMEOUT_PARTS);
  });
  return { passed, cancel: () => clearTimeout(timer) };
}
