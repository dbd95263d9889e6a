import { createHash } from 'node:crypto';
import { expect } from '@playwright/test';
import * as v from 'valibot';
import type { Storage } from './storage';

const HOUR_MILLISECONDS = 60 * 60 * 1_000;
const record = v.looseObject({ active_expires: v.number(), idle_expires: v.number() });

const BROWSERS = ['Chrome 144', 'Firefox 146', 'Safari 26'];
const PLACES = [
  { country: 'PT', city: 'Lisbon' },
  { country: 'JP', city: 'Kyoto' },
];

/**
 * Adds this many sessions in KV to a user with one session. Each was last active six hours before the previous one. Three browsers and two
 * places take turns.
 */
export async function addSessions(storage: Storage, userId: string, count: number): Promise<void> {
  const [own] = await storage.recordsOf(userId);
  expect(own).toBeDefined();
  if (!own) return;
  const session = v.parse(record, JSON.parse(own.value));
  await storage.putBack(
    Array.from({ length: count }, (_, index) => {
      const id = `${userId}.${createHash('sha256').update(String(index)).digest('base64url')}`;
      const age = (index * 6 + 1) * HOUR_MILLISECONDS;
      const added = {
        ...session,
        id,
        created_at: Date.now() - age,
        active_expires: session.active_expires - age,
        idle_expires: session.idle_expires - age,
        device: { browser: BROWSERS[index % 3], system: 'Linux', kind: 'desktop' },
        place: PLACES[index % 2],
      };
      const expiration = Math.floor(added.idle_expires / 1_000);
      return { key: `session:${id}`, value: JSON.stringify(added), metadata: added, expiration };
    }),
  );
}
