/** One operation on a store, as a scheduler or a crash sees it. */
export type Step = {
  store: 'KV' | 'D1';
  /** KV: the method. D1: the first words of the SQL; for a batch, those of each statement. */
  op: string;
  /** KV: the key, for a bulk read all keys, for a list the prefix. D1: the first bound value. */
  key: string;
  /** The KV location or the D1 client that made the call. */
  place: string;
};

/**
 * What runs around each operation. `beforeStep` is awaited before the operation takes effect; if it throws, the operation does not happen.
 * `afterStep` is awaited after it took effect or failed; if it throws, the caller never learns which.
 */
export type StepHooks = {
  beforeStep?: (step: Step) => Promise<void> | void;
  afterStep?: (step: Step) => Promise<void> | void;
};

/** The running process is dead: nothing of it happens after this. */
export class Crash extends Error {
  constructor(readonly step: Step) {
    super(`[simulation] crashed at ${describeStep(step)}`);
    this.name = 'Crash';
  }
}

/**
 * Hooks that let a process take `steps` storage steps and then kill it. The next step and all later ones never take effect, so code that
 * catches the error cannot repair anything. Steps that were sent before the crash do take effect, though nobody receives the results.
 * `crashedAt()` returns the step at which it died, if it did.
 */
export function crashAfter(
  steps: number,
  hooks: StepHooks = {},
): StepHooks & { crashedAt: () => Step | undefined } {
  let taken = 0;
  let crashedAt: Step | undefined;
  return {
    crashedAt: () => crashedAt,
    async beforeStep(step) {
      if (crashedAt || taken >= steps) {
        crashedAt ??= step;
        throw new Crash(step);
      }
      taken += 1;
      await hooks.beforeStep?.(step);
    },
    async afterStep(step) {
      await hooks.afterStep?.(step);
      if (crashedAt) throw new Crash(step);
    },
  };
}

export function describeStep({ store, op, key, place }: Step): string {
  return `${place}: ${store} ${op} ${key}`.trimEnd();
}

/** Runs one operation between its hooks. */
export async function takeStep<T>(hooks: StepHooks, step: Step, effect: () => T | Promise<T>): Promise<T> {
  await hooks.beforeStep?.(step);
  try {
    return await effect();
  } finally {
    await hooks.afterStep?.(step);
  }
}

/** The number of D1 calls. A batch is one round trip with as many queries as it has statements. */
export type D1Counters = { roundTrips: number; queries: number };

/** Returns the words that distinguish a statement: "INSERT INTO User", "UPDATE Key SET". */
export function firstWords(sql: string): string {
  return sql
    .trim()
    .replaceAll('"', '')
    .split(/[\s(]+/, 3)
    .join(' ');
}
