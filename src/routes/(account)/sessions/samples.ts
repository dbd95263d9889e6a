import { randomBytes } from 'node:crypto';
import type { Device, Place } from '$lib/session-view';
import { cloudflareKvBinding, type SessionLayout } from '$lib/server/kv-adapter';
import { ACTIVE_PERIOD_MILLISECONDS, IDLE_PERIOD_MILLISECONDS } from '$lib/server/policy';
import type { ConfirmedSession } from '$lib/server/sessions/confirmed';
import { LuciaError } from 'lucia';
import { SAMPLE_MARK } from './sample-mark';

const HOUR_MILLISECONDS = 60 * 60_000;

const SAMPLES: { device: Device; place: Place; ageHours: number }[] = [
  {
    device: { browser: 'Safari', system: 'iPhone', kind: 'phone' },
    place: { country: 'PT', city: 'Lisbon' },
    ageHours: 2,
  },
  {
    device: { browser: 'Edge', system: 'Windows', kind: 'desktop' },
    place: { country: 'BR', city: 'São Paulo' },
    ageHours: 30,
  },
  {
    device: { browser: 'Firefox', system: 'Android', kind: 'phone' },
    place: { country: 'DE', city: 'Berlin' },
    ageHours: 80,
  },
  {
    device: { browser: 'Safari', system: 'iPad', kind: 'tablet' },
    place: { country: 'JP', city: 'Kyoto' },
    ageHours: 400,
  },
];

type Where = { kv: KVNamespace; layout: SessionLayout };

/**
 * Stores sample sessions beside the current one, for a demo on this machine. Nobody can use them: their ids are marked as samples, and no
 * token is known whose hash has that mark.
 */
export async function addSamples({ kv, layout }: Where, current: ConfirmedSession): Promise<void> {
  const adapter = cloudflareKvBinding(kv, undefined, { layout })(LuciaError);
  const { userId, username } = current.user;
  // One after the other, because the index layout writes one record for all of them.
  for (const { device, place, ageHours } of SAMPLES) {
    // A minute more, so that a page whose clock is a little behind says the same.
    const lastActiveAt = Date.now() - ageHours * HOUR_MILLISECONDS - 60_000;
    const active_expires = lastActiveAt + ACTIVE_PERIOD_MILLISECONDS;
    await adapter.setSession({
      id: `${userId}.${SAMPLE_MARK}${randomBytes(27).toString('base64url')}`,
      user_id: userId,
      username,
      epoch: current.epoch,
      created_at: lastActiveAt,
      proved_at: lastActiveAt,
      active_expires,
      idle_expires: active_expires + IDLE_PERIOD_MILLISECONDS,
      device,
      place,
    });
  }
}

/** Deletes the samples' records. Nothing needs to be revoked, because nobody has a token for them. */
export async function removeSamples({ kv, layout }: Where, sessionIds: string[]): Promise<void> {
  const adapter = cloudflareKvBinding(kv, undefined, { layout })(LuciaError);
  for (const sessionId of sessionIds) await adapter.deleteSession(sessionId);
}
