import { randomInt } from 'node:crypto';

/** Small enough for billions of raises within JavaScript's exact integers. */
const EPOCH_STEP_MAX = 2 ** 20;

/**
 * Returns a later epoch. The step is random, so that two raises never arrive at the same one. This lets the browser's next session be
 * stored while the ledger is still being asked to raise the epoch: if the ledger refuses, or never gets the request, the stored record
 * belongs to an epoch that never comes.
 */
export function nextEpoch(epoch: number): number {
  return epoch + 1 + randomInt(EPOCH_STEP_MAX);
}
