/**
 * The writes of the ledger, by name: what a request may say about each one, and which ones may be sent to D1 a second time.
 * docs/consistency.md says why.
 */
type Write = {
  /**
   * Whether the write may be sent again while its outcome is unknown. True if its own conditions prevent a second change and the second
   * answer says the same as the first.
   */
  again: boolean;
  /** The index of the batch's statement that changes a row if the write takes effect. `null`: the answer does not tell. */
  decidedBy: number | null;
};

export const WRITES = {
  /** A repeat would find the name taken by its own first run. */
  'sign-up': { again: false, decidedBy: 0 },
  /** A repeat would count the sign-in twice. */
  'sign-in': { again: false, decidedBy: 1 },
  'sign-out': { again: true, decidedBy: 1 },
  'end-one': { again: true, decidedBy: 1 },
  'end-some': { again: true, decidedBy: 1 },
  /** A repeat would find nothing left to answer. */
  'answer-moves': { again: false, decidedBy: 0 },
  'end-others': { again: true, decidedBy: 1 },
  'end-all': { again: true, decidedBy: 1 },
  'change-password': { again: true, decidedBy: 2 },
  /** A repeat would find the old session ended and take the new one for the loser of a race. */
  'step-up': { again: false, decidedBy: 1 },
  /** A repeat would find no user, and the list of its late sessions would be gone. */
  'delete-account': { again: false, decidedBy: 2 },
  /**
   * A repeat would count a wrong password twice. The answer is not looked at, because it must not reveal whether an account of that name
   * exists.
   */
  'failed-try': { again: false, decidedBy: null },
  /** Not a batch but a KV record: `records.ts` sets its outcome. */
  rename: { again: false, decidedBy: null },
  /**
   * Not a batch either. The session that follows a sign-in, or an "end all others", could not be stored, and this browser's old session is
   * dead.
   */
  'sign-in-here': { again: false, decidedBy: null },
} as const satisfies Record<string, Write>;

export type WriteName = keyof typeof WRITES;

/**
 * The writes of a request in the order in which they began. `done`, or `unknown` while there is no answer or the answer does not tell. A
 * write that reported no change is not in the map.
 */
export type Deeds = Map<WriteName, 'done' | 'unknown'>;

const names = new WeakMap<readonly D1PreparedStatement[], WriteName>();

/** Names a batch for `batch` of a guarded D1. A batch without a name is one that no error needs to mention. */
export function write(name: WriteName, statements: D1PreparedStatement[]): D1PreparedStatement[] {
  names.set(statements, name);
  return statements;
}

export function nameOf(statements: readonly D1PreparedStatement[]): WriteName | null {
  return names.get(statements) ?? null;
}

/** Whether a named batch took effect, judged by its results. */
export function tookEffect(name: WriteName, results: D1Result[]): boolean {
  const { decidedBy } = WRITES[name];
  return decidedBy === null || (results[decidedBy]?.meta.changes ?? 0) > 0;
}

const SELECT = /^\s*SELECT\b/i;
const WITH = /^\s*WITH\b/i;
const CHANGE = /\b(INSERT|UPDATE|DELETE|REPLACE)\b/i;

/**
 * Whether a statement only reads. SQLite lets a `WITH` precede a change, so there any word of a change makes it count as a write. Values
 * are bound, so the text contains none.
 */
export function isRead(sql: string): boolean {
  return SELECT.test(sql) || (WITH.test(sql) && !CHANGE.test(sql));
}
