import {
  ACCOUNT_THROTTLE,
  ADDRESS_THROTTLE,
  FORM_VISIT_MILLISECONDS,
  ROTATIONS_PER_HOUR_MAX,
  SIGN_INS_PER_HOUR_MAX,
  SIGN_INS_WINDOW_MILLISECONDS,
  SIGN_UP_THROTTLE,
} from '../policy';
import { addressBlock } from './address-block';
import type { Device } from './known-browser';
import { bucket, rowId, type Bucket, type Quota, type Throttle, type Try } from './throttle';

export type Tries = ReturnType<typeof createTries>;

/**
 * Decides which buckets each kind of try is counted in. The methods that return a `Try` take its places or throw `Throttled`. The others
 * return a quota.
 */
export function createTries(throttle: Throttle, address: () => string, secret: string | undefined) {
  const deviceBucket = ({ id }: Device) => bucket(ACCOUNT_THROTTLE, secret, 'device', id);

  /** The bucket of the request's address block. Whatever counts in it, it always limits how many tries are under way at once. */
  function addressBuckets(counts: Bucket['counts']): Bucket[] {
    const block = addressBlock(address());
    return block === null
      ? []
      : [bucket(ADDRESS_THROTTLE, secret, 'address', block, { counts, shared: true })];
  }

  const signInsOf = (kind: string, of: string): Quota => ({
    id: rowId(secret, kind, of),
    max: SIGN_INS_PER_HOUR_MAX,
    windowMilliseconds: SIGN_INS_WINDOW_MILLISECONDS,
  });

  return {
    /** A browser that has signed in to this account before has its own counts, so that nobody else can lock it out. */
    asDevice: (device: Device): Promise<Try> =>
      throttle.take([deviceBucket(device), ...addressBuckets([])], {
        quotas: [signInsOf('sign-ins-device', device.browserId)],
      }),

    /**
     * All other browsers share the counts of the account and of their address block. That includes a browser that knew an earlier password,
     * or signed in to an earlier account with that name. Such a `device` is counted in its own bucket, too.
     */
    asStranger: (
      username: string,
      { device, instead }: { device?: Device; instead?: Try } = {},
    ): Promise<Try> =>
      throttle.take(
        [
          ...(device ? [deviceBucket(device)] : []),
          bucket(ACCOUNT_THROTTLE, secret, 'account', username),
          ...addressBuckets(['failed']),
        ],
        { quotas: [signInsOf('sign-ins', username)], instead },
      ),

    /** Every sign-up from an address block counts. While under way, it also takes one of the places that sign-ins from the block use. */
    signUp(): Promise<Try> {
      const block = addressBlock(address());
      if (block === null) return throttle.take([]);
      const counts = ['failed', 'succeeded'] as const;
      const own = bucket(SIGN_UP_THROTTLE, secret, 'sign-up', block, { counts, shared: true });
      return throttle.take([own, ...addressBuckets([])]);
    },

    /** A quota of one account per form and name, so that the same form sent twice is recognized. */
    signUpOf: (visit: string, username: string): Quota => ({
      id: rowId(secret, 'sign-up-form', `${visit}:${username}`),
      max: 1,
      windowMilliseconds: FORM_VISIT_MILLISECONDS,
    }),

    /** A repeated password. `line` identifies the sign-in, because a session can rotate to a new id as often as it likes. */
    proof: (line: string): Promise<Try> =>
      throttle.take([bucket(ACCOUNT_THROTTLE, secret, 'proof', line), ...addressBuckets([])]),

    /** How often one sign-in may rotate its token by ending the other sessions. */
    rotations: (line: string): Quota => ({
      id: rowId(secret, 'rotation', line),
      max: ROTATIONS_PER_HOUR_MAX,
      windowMilliseconds: SIGN_INS_WINDOW_MILLISECONDS,
    }),
  };
}
