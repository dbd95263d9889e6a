/** Storage steps that wait for each other: how often, one after the other, a request waits for a store. */
import { describeStep, type Step, type StepHooks } from './steps';

/**
 * So many turns of the event loop with no step begun, in effect or ended mean that all that can begin has. What runs in
 * between is JavaScript and no timer, so a slow machine changes nothing.
 */
const QUIET_TURNS = 10;
/** So many turns without an end mean that none will come. */
const TURNS_BEFORE_STUCK = 100_000;

/**
 * Runs a request whose storage steps are held until no other can begin without an answer, and then let go together: a
 * wave. Gives the waves before the request's end, each with its steps; those that begin later belong to no answer.
 * Throws what the request throws.
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
        // What is left to do after the answer goes on without being counted.
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
  // It is awaited below; a failure while the waves are counted is not an unhandled one.
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
