import type { Step, StepHooks } from './steps';

/** Something that takes storage steps, through clients made with the hooks it is given. */
export type Process = (gate: StepHooks) => Promise<unknown>;

export type Interleaving<Run> = {
  /** What `makeRun` gave, for looking at the stores. */
  run: Run;
  /** The order of the steps, one a line, to say in a failure's message. */
  schedule: string;
  /** How each process ended, by name. */
  outcomes: Record<string, PromiseSettledResult<unknown>>;
};

type Choice = {
  options: string[];
  chosen: number;
  /** Options that lead nowhere new: what they do was seen in another order of steps that commute. */
  asleep: Set<string>;
};
type Waiting = { label: string; step: Step; open: () => void };

/** Whether two steps of different processes leave the same behind, and answer the same, whichever comes first. */
export type Commute = (one: Step, other: Step) => boolean;

/**
 * Two reads of a store do, two keys of KV do, and the two stores do. It holds where the order of answers changes nothing by itself, time
 * stands still, and chance has no part in what a store does.
 */
export const commute: Commute = (one, other) => {
  if (one.store !== other.store || (!writes(one) && !writes(other))) return true;
  return one.store === 'KV' && one.op !== 'list' && other.op !== 'list' && one.key !== other.key;
};

function writes({ store, op }: Step): boolean {
  return store === 'KV' ? op === 'put' || op === 'delete' : !/^SELECT [^;]*$/.test(op);
}

/** So many turns of the event loop with no process reaching a gate or its end mean that one never will. */
const TURNS_BEFORE_STUCK = 50_000;

/** Taken before a test can fake it. */
const nextTurn = globalThis.setImmediate;

/**
 * Every order in which the storage steps of some processes can happen: each run starts from nothing (`makeRun`), goes
 * the way of the last one up to a point, and takes the next choice there (depth first). Steps that one process starts
 * at once are choices of their own. A process may take other steps depending on what it saw; the choices are found as
 * they come. What a process does for the same choices must be the same each time, but for random ids: it throws if not.
 *
 * With `commutes`, orders that differ only in steps that commute are taken once: sleep sets, after P. Godefroid, "Partial-Order Methods for
 * the Verification of Concurrent Systems" (1996), chapter 5. What the stores hold in the end, and what each process saw, is still all there.
 */
export async function* everyInterleaving<Run extends { processes: Record<string, Process> }>(
  makeRun: () => Run | Promise<Run>,
  commutes: Commute = () => false,
): AsyncGenerator<Interleaving<Run>, void, void> {
  const path: Choice[] = [];
  do {
    const interleaving = await runAlong(path, await makeRun(), commutes);
    if (interleaving) yield interleaving;
  } while (takeNextChoice(path));
}

/** Moves on to the next choice that is not asleep, depth first. Returns whether there is one. */
function takeNextChoice(path: Choice[]): boolean {
  for (let last = path.at(-1); last; last = path.at(-1)) {
    const taken = last.options[last.chosen];
    if (taken !== undefined) last.asleep.add(taken);
    last.chosen = last.options.findIndex((option) => !last?.asleep.has(option));
    if (last.chosen >= 0) return true;
    path.pop();
  }
  return false;
}

/** One run: the choices in `path` first, then always the first option, which are added to `path`. `null` if it led nowhere new. */
async function runAlong<Run extends { processes: Record<string, Process> }>(
  path: Choice[],
  run: Run,
  commutes: Commute,
): Promise<Interleaving<Run> | null> {
  const scheduled: string[] = [];
  const outcomes: Record<string, PromiseSettledResult<unknown>> = {};
  const actors = Object.entries(run.processes).map(([name, process]) => startProcess(name, process));
  const ends = actors.map(async ({ name, done }) => {
    const [outcome] = await Promise.allSettled([done]);
    outcomes[name] = outcome;
  });

  let asleep = new Set<string>();
  for (let depth = 0; ; depth += 1) {
    await settle(actors);
    const waiting = waitingOf(actors);
    if (waiting.length === 0) break;
    const options = waiting.map(({ option }) => option);
    const choice = path[depth] ?? {
      options,
      chosen: options.findIndex((option) => !asleep.has(option)),
      asleep,
    };
    if (choice.chosen < 0) return null;
    if (choice.options.join() !== options.join()) {
      throw new Error(
        `[simulation] not the same run twice: after\n${scheduled.join('\n')}\nthe next step was one of ` +
          `${choice.options.join(', ')} and is now one of ${options.join(', ')}: take time and chance out of the processes`,
      );
    }
    path[depth] = choice;
    const next = waiting[choice.chosen];
    if (!next) throw new Error('[simulation] a choice that is not there');
    scheduled.push(next.gate.label);
    asleep = new Set(
      waiting
        .filter(({ actor, option }) => choice.asleep.has(option) && actor !== next.actor)
        .filter(({ gate }) => commutes(gate.step, next.gate.step))
        .map(({ option }) => option),
    );
    next.actor.waiting.splice(next.actor.waiting.indexOf(next.gate), 1);
    next.gate.open();
  }

  await Promise.all(ends);
  return { run, schedule: scheduled.join('\n'), outcomes };
}

type Actor = {
  name: string;
  done: Promise<unknown>;
  /** Steps that wait for their turn. */
  waiting: Waiting[];
  /** Whether there is nothing to wait for but the gates. */
  isQuiet: () => boolean;
};

/** What could go next. Of steps of one label that a process has started at once, each has a name of its own. */
function waitingOf(actors: Actor[]): { actor: Actor; gate: Waiting; option: string }[] {
  return actors.flatMap((actor) =>
    actor.waiting.map((gate, index) => {
      const like = actor.waiting.slice(0, index).filter(({ label }) => label === gate.label).length;
      return { actor, gate, option: like === 0 ? gate.label : `${gate.label} (${like + 1})` };
    }),
  );
}

function startProcess(name: string, process: Process): Actor {
  const waiting: Waiting[] = [];
  let inEffect = 0;
  let ended = false;

  const gate: StepHooks = {
    beforeStep: (step) =>
      new Promise((resolve) => {
        const open = () => {
          inEffect += 1;
          resolve();
        };
        waiting.push({ label: labelOf(name, step), step, open });
      }),
    afterStep: () => {
      inEffect -= 1;
    },
  };

  const done = Promise.resolve()
    .then(() => process(gate))
    .finally(() => {
      ended = true;
    });
  return { name, done, waiting, isQuiet: () => inEffect === 0 && (ended || waiting.length > 0) };
}

/** Without the key: it may hold a random id. */
function labelOf(name: string, { store, op }: Step): string {
  return `${name}: ${store} ${op}`;
}

/** Lets the processes run until each has ended or waits at a gate, and then once more, for what else they start. */
async function settle(actors: Actor[]): Promise<void> {
  for (let turns = 0, quiet = 0; quiet < 2; turns += 1) {
    if (turns > TURNS_BEFORE_STUCK) {
      const stuck = actors.filter((actor) => !actor.isQuiet()).map(({ name }) => name);
      throw new Error(
        `[simulation] ${stuck.join(' and ')} neither ends nor takes a step: does it wait for a fake timer?`,
      );
    }
    await new Promise((resolve) => nextTurn(resolve));
    quiet = actors.every((actor) => actor.isQuiet()) ? quiet + 1 : 0;
  }
}
