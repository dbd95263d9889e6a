import type { Step, StepHooks } from './steps';

/** Something that takes storage steps, through clients with the given hooks. */
export type Process = (gate: StepHooks) => Promise<unknown>;

export type Interleaving<Run> = {
  /** The result of `makeRun`, for looking at the stores. */
  run: Run;
  /** The order of the steps, one per line, for a failure's message. */
  schedule: string;
  /** How each process ended, by name. */
  outcomes: Record<string, PromiseSettledResult<unknown>>;
};

type Choice = {
  options: string[];
  chosen: number;
  /** Options that lead to nothing new, because their effect was seen in another order of commuting steps. */
  asleep: Set<string>;
};
type Waiting = { label: string; step: Step; open: () => void };

/** Returns whether two steps of different processes have the same effect and the same results in either order. */
export type Commute = (one: Step, other: Step) => boolean;

/**
 * Two reads of a store commute, and so do steps on two keys of KV, and steps on different stores. This holds where the order of responses
 * has no effect by itself, time stands still, and the stores do nothing at random.
 */
export const commute: Commute = (one, other) => {
  if (one.store !== other.store || (!writes(one) && !writes(other))) return true;
  return one.store === 'KV' && one.op !== 'list' && other.op !== 'list' && one.key !== other.key;
};

function writes({ store, op }: Step): boolean {
  return store === 'KV' ? op === 'put' || op === 'delete' : !/^SELECT [^;]*$/.test(op);
}

/** If no process reaches a gate or its end in this many turns of the event loop, one never will. */
const TURNS_BEFORE_STUCK = 50_000;

/** Saved before a test can replace it. */
const nextTurn = globalThis.setImmediate;

/**
 * Runs every order in which the storage steps of some processes can happen. Each run starts from nothing (`makeRun`), follows the last one
 * up to a point, and takes the next choice there (depth first). Steps that one process starts at once are separate choices. A process may
 * take other steps depending on what it read; choices are discovered on the way. For the same choices, a process must do the same each
 * time, except for random ids. Otherwise this throws.
 *
 * With `commutes`, orders that differ only in commuting steps are run once. This uses sleep sets, after P. Godefroid, "Partial-Order
 * Methods for the Verification of Concurrent Systems" (1996), chapter 5. All final states of the stores, and everything that each process
 * can see, still occur.
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

/** Runs once: first the choices in `path`, then always the first option, which is added to `path`. Returns `null` if it led to nothing new. */
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
  /** Whether there is nothing to wait for except the gates. */
  isQuiet: () => boolean;
};

/** Returns what could run next. If a process has started several steps with the same label at once, each gets its own name. */
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

/** Leaves out the key, which may contain a random id. */
function labelOf(name: string, { store, op }: Step): string {
  return `${name}: ${store} ${op}`;
}

/** Lets the processes run until each has ended or waits at a gate, and then once more for anything else that they start. */
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
