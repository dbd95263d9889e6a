import { randomInt } from 'node:crypto';

/** Small enough for millions of raises before an integer that JavaScript holds exactly is too small. */
const EPOCH_STEP_MAX = 2 ** 20;

/**
 * A later epoch: by a random step, so that no two raises arrive at the same one. The session that goes on in it can then
 * be stored while the ledger is being asked to raise it: if it refuses, or never hears of it, that record is in no epoch
 * that ever comes.
 */
export function nextEpoch(epoch: number): number {
  return epoch + 1 + randomInt(EPOCH_STEP_MAX);
}
