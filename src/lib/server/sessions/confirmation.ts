import { CONFIRMATION_AHEAD_MILLISECONDS, CONFIRMATION_MAX_BYTES, CONFIRMATION_SECONDS } from '../policy';
import type { ConfirmedSession } from './confirmed';
import { BOUND_COOKIE } from './device-tokens';
import type { RequestFacts } from './request-facts';
import type { Signer } from './signer';

export type Confirmation = ReturnType<typeof createConfirmation>;

/** What the cookie says. Times are epoch milliseconds. */
type Statement = {
  v: 1;
  username: string;
  /** Read before the ledger was asked, so that it is never later than what the ledger said. */
  confirmed_at: number;
  /** When the session is due for renewal: from then on a page view asks again, and so renews. */
  renew_at: number;
};

const FORM = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{43})$/;

/**
 * The ledger's yes, signed, in a cookie of this browser for a minute: `<base64url of JSON>.<MAC>`. While it is fresh, a page view knows whom to
 * greet without asking a store. It decides nothing. A missing, old or forged one, or another session's, means "not known, so ask", and
 * never "signed out".
 *
 * The MAC covers the session id, so it is worth nothing without the session's own cookie: an answer that arrives late may bring one back.
 * It covers the bound cookie of the request as well: where a session is bound to its device, a copy without that cookie greets nobody.
 * The clocks of two of Cloudflare's machines are the only slack in its minute.
 */
export function createConfirmation({ cookies, cookie: { secure } }: RequestFacts, signer: Signer | null) {
  const name = secure ? '__Host-confirmation' : 'confirmation';
  const boundCookie = cookies.get(BOUND_COOKIE) ?? '';
  const options = { path: '/', httpOnly: true, sameSite: 'lax', secure } as const;

  return {
    /** The user of this session, if the ledger confirmed it in the last minute and it is not due for renewal; otherwise `null`: ask. */
    freshFor(sessionId: string): { username: string } | null {
      const value = cookies.get(name) ?? '';
      if (!signer || value.length > CONFIRMATION_MAX_BYTES) return null;
      const [, body = '', mac = ''] = FORM.exec(value) ?? [];
      if (!body || !signer.verify(mac, 'confirmation', sessionId, boundCookie, body)) return null;
      const said: Statement = JSON.parse(Buffer.from(body, 'base64url').toString());
      const age = Date.now() - said.confirmed_at;
      const isFresh = age < CONFIRMATION_SECONDS * 1_000 && age >= -CONFIRMATION_AHEAD_MILLISECONDS;
      return said.v === 1 && isFresh && Date.now() < said.renew_at ? { username: said.username } : null;
    },

    /** Only for what the ledger has just confirmed, in this request. `confirmedAt`: the time before it was asked. */
    give({ sessionId, user, activePeriodExpiresAt }: ConfirmedSession, confirmedAt: number): void {
      if (!signer) return;
      const statement: Statement = {
        v: 1,
        username: user.username,
        confirmed_at: confirmedAt,
        renew_at: activePeriodExpiresAt.getTime(),
      };
      const body = Buffer.from(JSON.stringify(statement)).toString('base64url');
      const mac = signer.sign('confirmation', sessionId, boundCookie, body);
      cookies.set(name, `${body}.${mac}`, { ...options, maxAge: CONFIRMATION_SECONDS });
    },

    /** What this browser has, or was about to get, goes. */
    take(): void {
      if (cookies.get(name)) cookies.set(name, '', { ...options, expires: new Date(0), maxAge: 0 });
    },
  };
}
