import { CONFIRMATION_AHEAD_MILLISECONDS, CONFIRMATION_MAX_BYTES, CONFIRMATION_SECONDS } from '../policy';
import type { ConfirmedSession } from './confirmed';
import { BOUND_COOKIE } from './device-tokens';
import type { RequestFacts } from './request-facts';
import type { Signer } from './signer';
import type { PresentedSession } from './token';

export type Confirmation = ReturnType<typeof createConfirmation>;

/** The content of the cookie. Times are epoch milliseconds. */
type Statement = {
  v: 1;
  username: string;
  /** Taken before the ledger was asked, so it is never later than the ledger's answer. */
  confirmed_at: number;
  /** When the session is due for renewal. From then on a page view asks the stores, which renews the session. */
  renew_at: number;
};

const FORM = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{43})$/;

/**
 * The ledger's confirmation, signed, in a cookie of this browser for one minute: `<base64url of JSON>.<MAC>`. While it is fresh, a page
 * view knows whom to greet without asking a store. It decides nothing. A cookie that is missing, old, forged or for another session means
 * "unknown, so ask", and never "signed out".
 *
 * The MAC covers the session's own cookie, so this one is worthless without it, even if a late response brings it back. The MAC also covers
 * the request's bound cookie: if a session is bound to its device, a copy without that cookie greets nobody. The minute is exact except for
 * clock differences between Cloudflare's machines.
 */
export function createConfirmation({ cookies, cookie: { secure } }: RequestFacts, signer: Signer | null) {
  const name = secure ? '__Host-confirmation' : 'confirmation';
  const boundCookie = cookies.get(BOUND_COOKIE) ?? '';
  const options = { path: '/', httpOnly: true, sameSite: 'lax', secure } as const;

  return {
    /**
     * Returns the user of this session if the ledger confirmed it in the last minute and it is not due for renewal. Otherwise `null`: ask
     * the stores.
     */
    async freshFor({ userId, token }: PresentedSession): Promise<{ username: string } | null> {
      const value = cookies.get(name) ?? '';
      if (!signer || value.length > CONFIRMATION_MAX_BYTES) return null;
      const [, body = '', mac = ''] = FORM.exec(value) ?? [];
      if (!body || !(await signer.verify(mac, 'confirmation', userId, token, boundCookie, body))) return null;
      const said: Statement = JSON.parse(Buffer.from(body, 'base64url').toString());
      const age = Date.now() - said.confirmed_at;
      const isFresh = age < CONFIRMATION_SECONDS * 1_000 && age >= -CONFIRMATION_AHEAD_MILLISECONDS;
      return said.v === 1 && isFresh && Date.now() < said.renew_at ? { username: said.username } : null;
    },

    /**
     * Call it only for a session that the ledger has just confirmed in this request. `token`: that of its cookie. `confirmedAt`: the time
     * before the ledger was asked.
     */
    give({ user, activePeriodExpiresAt }: ConfirmedSession, token: string, confirmedAt: number): void {
      if (!signer) return;
      const statement: Statement = {
        v: 1,
        username: user.username,
        confirmed_at: confirmedAt,
        renew_at: activePeriodExpiresAt.getTime(),
      };
      const body = Buffer.from(JSON.stringify(statement)).toString('base64url');
      const mac = signer.sign('confirmation', user.userId, token, boundCookie, body);
      cookies.set(name, `${body}.${mac}`, { ...options, maxAge: CONFIRMATION_SECONDS });
    },

    /** Clears the cookie in this browser, and the one that this response was about to set. */
    take(): void {
      if (cookies.get(name)) cookies.set(name, '', { ...options, expires: new Date(0), maxAge: 0 });
    },
  };
}
