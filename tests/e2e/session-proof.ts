import { expect } from '@playwright/test';
import * as v from 'valibot';
import type { Storage } from './storage';

const AGE_MILLISECONDS = 60 * 60 * 1_000;
const proof = v.looseObject({ proved_at: v.number() });

/** Makes a session's last proof of the password an hour old, as if the user had signed in then. */
export async function ageProof(storage: Storage, userId: string, sessionId: string): Promise<void> {
  const aged = (record: unknown) => {
    const session = v.parse(proof, record);
    return { ...session, proved_at: session.proved_at - AGE_MILLISECONDS };
  };
  const records = (await storage.recordsOf(userId)).filter(({ key }) => key === `session:${sessionId}`);
  expect(records).toHaveLength(1);
  await storage.putBack(
    records.map((record) => ({
      ...record,
      value: JSON.stringify(aged(JSON.parse(record.value))),
      metadata: record.metadata && aged(record.metadata),
    })),
  );
}
