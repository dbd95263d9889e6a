import { deepEqual } from 'node:assert/strict';
import type { SessionAdapter, SessionSchema } from 'lucia';
import { sessionOf } from './fixture.js';
import type { RecordingKV } from './recording-kv.js';

/** What a case has to work with. */
export type World = {
  adapter: SessionAdapter;
  /** What the adapter asks; it notes each operation down. */
  kv: RecordingKV;
  keyOf: (sessionId: string) => string;
  /** A user that has no session yet. */
  user: string;
};

/** A title that reads without its file, and what has to hold. */
export type Check = [title: string, check: (world: World) => Promise<void>];

export const several = (userId: string, count: number): SessionSchema[] =>
  Array.from({ length: count }, () => sessionOf(userId));

/** Sets sessions one after the other: the `index` layout loses entries of sign-ins at once. */
export async function setAll<S extends SessionSchema[]>({ adapter }: World, ...sessions: S): Promise<S> {
  for (const session of sessions) await adapter.setSession(session);
  return sessions;
}

/** The listing of the user is these sessions, in whatever order. */
export async function lists({ adapter }: World, userId: string, ...sessions: SessionSchema[]): Promise<void> {
  const byId = (a: SessionSchema, b: SessionSchema) => (a.id < b.id ? -1 : 1);
  const listed = await adapter.getSessionsByUserId(userId);
  deepEqual(listed.toSorted(byId), sessions.toSorted(byId));
}

/** Runs with a clock that is ahead by so many milliseconds. */
export async function ahead(milliseconds: number, run: () => Promise<void>): Promise<void> {
  const { now } = Date;
  Date.now = () => now() + milliseconds;
  try {
    await run();
  } finally {
    Date.now = now;
  }
}
