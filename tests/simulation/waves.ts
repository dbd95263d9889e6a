/** Counts how often a request waits for a store. Steps that do not depend on each other count as one wait. */
import { describeStep, type Step, type StepHooks } from './steps';

/**
 * If no step begins, takes effect or ends in this many turns of the event loop, everything that can begin has begun. Only JavaScript runs
 * in between and no timer, so a slow machine changes nothing.
 */
const QUIET_TURNS = 10;
/** If the request does not end in this many turns, it never will. */
const TURNS_BEFORE_STUCK = 100_000;

/**
 * Runs a request and holds its storage steps until no other can begin without a response. They are then released together: a wave. Returns
 * the waves before the request's end, each with its steps. Steps that begin later belong to no response. Throws what the request throws.
 */
export async function wavesOf(request: (hooks: StepHooks) => Promise<unknown>): Promise<string[][]> {
  const waves: string[][] = [];
  let held: { step: Step; release: () => void }[] = [];
  let inEffect = 0;
  let ended = false;
  let idleTurns = 0;

  const done = request({
    beforeStep: (step) =>
      new Promise<void>((resolve) => {
        // Background work after the response continues without being counted.
        if (ended) resolve();
        else held.push({ step, release: resolve });
        idleTurns = 0;
      }).then(() => void (inEffect += 1)),
    afterStep: () => {
      inEffect -= 1;
      idleTurns = 0;
    },
  }).finally(() => {
    ended = true;
    idleTurns = 0;
  });
  // It is awaited below. A failure while the waves are counted must not be reported as unhandled.
  done.catch(() => undefined);

  for (let turns = 0; !ended; turns += 1) {
    if (turns > TURNS_BEFORE_STUCK) throw new Error('[waves] the request neither ends nor asks a store');
    await new Promise((resolve) => setTimeout(resolve, 0));
    idleTurns += 1;
    if (idleTurns < QUIET_TURNS || inEffect > 0 || held.length === 0) continue;
    waves.push(held.map(({ step }) => describeStep(step)));
    const wave = held;
    held = [];
    wave.forEach(({ release }) => release());
    idleTurns = 0;
  }
  held.forEach(({ release }) => release());
  await done;
  return waves;
}
