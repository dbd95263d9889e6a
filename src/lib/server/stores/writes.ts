/**
 * The writes of the ledger, by name: what a request may say of each, and which of them D1 may be sent a second time. docs/consistency.md
 * says why.
 */
type Write = {
  /**
   * Whether it may be sent again while nobody knows what became of it: its own conditions let it change nothing twice, and the
   * second answer says the same as the first.
   */
  again: boolean;
  /** The statement of its batch that changes a row if the write takes effect; `null`: what it answers does not tell. */
  decidedBy: number | null;
};

export const WRITES = {
  /** Sent again it finds the name taken, by itself. */
  'sign-up': { again: false, decidedBy: 0 },
  /** Sent again it counts the sign-in twice. */
  'sign-in': { again: false, decidedBy: 1 },
  'sign-out': { again: true, decidedBy: 1 },
  'end-one': { again: true, decidedBy: 1 },
  'end-some': { again: true, decidedBy: 1 },
  /** Sent again it finds nothing left to answer. */
  'answer-moves': { again: false, decidedBy: 0 },
  'end-others': { again: true, decidedBy: 1 },
  'end-all': { again: true, decidedBy: 1 },
  'change-password': { again: true, decidedBy: 2 },
  /** Sent again it finds the old session ended, and takes the new one for the loser of a race. */
  'step-up': { again: false, decidedBy: 1 },
  /** Sent again it finds nobody, and what it was to remember of the sessions is gone. */
  'delete-account': { again: false, decidedBy: 2 },
  /** Sent again it counts a wrong password twice. Whether there is an account of that name must not show, so its answer is not looked at. */
  'failed-try': { again: false, decidedBy: null },
  /** A record in KV, and no batch: `records.ts` says what became of it. */
  rename: { again: false, decidedBy: null },
  /** The same: what follows a sign-in, or ends the others, and could not be stored. The session that this browser had is dead. */
  'sign-in-here': { again: false, decidedBy: null },
} as const satisfies Record<string, Write>;

export type WriteName = keyof typeof WRITES;

/**
 * What a request has done, in the order in which it began: `done`, or `unknown` while no answer has come, or none that tells. A write that
 * answered that it changed nothing is not in here.
 */
export type Deeds = Map<WriteName, 'done' | 'unknown'>;

const names = new WeakMap<readonly D1PreparedStatement[], WriteName>();

/** Names a batch, for `batch` of a guarded D1. A batch without a name is one that nobody has to be told of. */
export function write(name: WriteName, statements: D1PreparedStatement[]): D1PreparedStatement[] {
  names.set(statements, name);
  return statements;
}

export function nameOf(statements: readonly D1PreparedStatement[]): WriteName | null {
  return names.get(statements) ?? null;
}

/** Whether a named batch took effect, by its results. */
export function tookEffect(name: WriteName, results: D1Result[]): boolean {
  const { decidedBy } = WRITES[name];
  return decidedBy === null || (results[decidedBy]?.meta.changes ?? 0) > 0;
}

const READ = /^\s*(SELECT|WITH)\b/i;
const CHANGE = /\b(INSERT|UPDATE|DELETE|REPLACE|CREATE|ALTER|DROP|PRAGMA)\b/i;

/** Whether a statement only reads. What looks like a change anywhere is taken for one: values are bound, so none is in the text. */
export function isRead(sql: string): boolean {
  return READ.test(sql) && !CHANGE.test(sql);
}
