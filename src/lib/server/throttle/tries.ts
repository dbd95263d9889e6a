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

/** What each kind of try is counted by. Each of these takes a place for the try, or throws `Throttled`. */
export function createTries(throttle: Throttle, address: () => string, secret: string | undefined) {
  const deviceBucket = ({ id }: Device) => bucket(ACCOUNT_THROTTLE, secret, 'device', id);

  /** The address that a request comes from. Whatever counts there, all that it has under way at once is limited. */
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
    /** A browser that signed in to this account before has counts of its own, so that nobody else can lock it out. */
    asDevice: (device: Device): Promise<Try> =>
      throttle.take([deviceBucket(device), ...addressBuckets([])], {
        quotas: [signInsOf('sign-ins-device', device.browserId)],
      }),

    /**
     * All others share the account's counts and their address block's: so does a browser that knew an earlier password, or was
     * signed in to an earlier account of that name. Such a `device` is counted as what it is as well, anew.
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

    /** Every sign-up of an address counts, and is under way there as sign-ins are. */
    signUp(): Promise<Try> {
      const block = addressBlock(address());
      if (block === null) return throttle.take([]);
      const counts = ['failed', 'succeeded'] as const;
      const own = bucket(SIGN_UP_THROTTLE, secret, 'sign-up', block, { counts, shared: true });
      return throttle.take([own, ...addressBuckets([])]);
    },

    /** An account of that name, made by the form of one page: so the same form, sent twice, is known. */
    signUpOf: (visit: string, username: string): Quota => ({
      id: rowId(secret, 'sign-up-form', `${visit}:${username}`),
      max: 1,
      windowMilliseconds: FORM_VISIT_MILLISECONDS,
    }),

    /** The password given again. `line`: the sign-in it is about, as a session can go on under a new id as often as it likes. */
    proof: (line: string): Promise<Try> =>
      throttle.take([bucket(ACCOUNT_THROTTLE, secret, 'proof', line), ...addressBuckets([])]),

    /** How often a sign-in may go on under another token by ending the others. */
    rotations: (line: string): Quota => ({
      id: rowId(secret, 'rotation', line),
      max: ROTATIONS_PER_HOUR_MAX,
      windowMilliseconds: SIGN_INS_WINDOW_MILLISECONDS,
    }),
  };
}
