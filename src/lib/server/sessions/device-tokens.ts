/**
 * What the browser of a bound session gets: challenges for its device's key to sign, and the bound cookie. Each is a few numbers and a MAC
 * over them, `<number>.….<MAC>`, so nothing needs to be stored.
 */
import { CLOCK_SKEW_MILLISECONDS, DEVICE_CHALLENGE_MILLISECONDS } from '../policy';
import type { Purpose, Signer } from './signer';

/** The content of an offer to bind a session. Times are epoch milliseconds. */
export type Offer = { at: number; epoch: number; endsAt: number };

/** The cookie that proves a bound session's device for some minutes. */
export const BOUND_COOKIE = '__Host-bound';

const VALUE_MAX_CHARACTERS = 128;
const NUMBER = /^\d{1,16}$/;

export type DeviceTokens = ReturnType<typeof createDeviceTokens>;

export function createDeviceTokens(signer: Signer) {
  /** `about` says what the value is for. The MAC covers it, but it is not part of the value. */
  function seal(purpose: Purpose, about: string[], numbers: number[]): string {
    const texts = numbers.map(String);
    return [...texts, signer.sign(purpose, ...about, ...texts)].join('.');
  }

  /** Returns the numbers of a value sealed for this purpose and `about`, or `null` for any other. */
  async function open(purpose: Purpose, about: string[], value: string): Promise<number[] | null> {
    if (value.length > VALUE_MAX_CHARACTERS) return null;
    const texts = value.split('.');
    const mac = texts.pop() ?? '';
    if (!texts.every((text) => NUMBER.test(text))) return null;
    return (await signer.verify(mac, purpose, ...about, ...texts)) ? texts.map(Number) : null;
  }

  return {
    /** The challenge that offers to bind a session. It carries the session's epoch and end, which KV may not show yet. */
    bindChallenge: (sessionId: string, { at, epoch, endsAt }: Offer): string =>
      seal('device-challenge', ['bind', sessionId], [at, epoch, endsAt]),

    /** Returns the offer made for this session within the last minute, or `null` for any other challenge. */
    async readBindChallenge(value: string, sessionId: string): Promise<Offer | null> {
      const [at, epoch, endsAt] = (await open('device-challenge', ['bind', sessionId], value)) ?? [];
      if (at === undefined || epoch === undefined || endsAt === undefined) return null;
      return isFresh(at) ? { at, epoch, endsAt } : null;
    },

    refreshChallenge: (bindingId: string): string =>
      seal('device-challenge', ['refresh', bindingId], [Date.now()]),

    /** When this binding was challenged, if within the last minute; `null` for any other challenge. */
    async readRefreshChallenge(value: string, bindingId: string): Promise<number | null> {
      const [at] = (await open('device-challenge', ['refresh', bindingId], value)) ?? [];
      return at !== undefined && isFresh(at) ? at : null;
    },

    boundCookie: (bindingId: string, endsAt: number): string => seal('bound-cookie', [bindingId], [endsAt]),

    /** Whether the cookie says that this binding's device proved itself recently. */
    async isBoundCookie(value: string, bindingId: string): Promise<boolean> {
      const [endsAt] = (await open('bound-cookie', [bindingId], value)) ?? [];
      return endsAt !== undefined && Date.now() < endsAt;
    },
  };
}

function isFresh(at: number): boolean {
  const age = Date.now() - at;
  return -CLOCK_SKEW_MILLISECONDS <= age && age < DEVICE_CHALLENGE_MILLISECONDS;
}
