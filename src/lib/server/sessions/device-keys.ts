/** Sessions bound to their device (Device Bound Session Credentials): docs/device-binding.md. */
import { randomBytes } from 'node:crypto';
import { BINDING_GRACE_MILLISECONDS, BOUND_COOKIE_MILLISECONDS } from '../policy';
import { BindingError } from '../stores/bindings';
import { logEvent } from './activity';
import type { Background } from './background';
import { bind, findBinding, recordUnproven, type Binding } from './device-key-sql';
import { challengeSignedBy, readRegistration } from './device-proof';
import { BOUND_COOKIE, createDeviceTokens } from './device-tokens';
import { absoluteEnd } from './lifetime';
import type { RequestFacts } from './request-facts';
import type { Signer } from './signer';
import type { ThisBrowser } from './this-browser';

export type DeviceKeys = ReturnType<typeof createDeviceKeys>;

/** The session is bound to its device, and this request does not prove that it comes from that device. The session has not ended. */
export class DeviceUnproven extends Error {
  constructor(
    readonly userId: string,
    readonly sessionId: string,
  ) {
    super('[device-keys] the session is bound to its device, and no valid proof of it came');
    this.name = 'DeviceUnproven';
  }
}

/** The result of a refresh. `ended`: the binding's session has ended, or there is no such binding. */
export type Refresh = { is: 'proven' } | { is: 'ended' } | { is: 'challenged'; challenge: string };

type Parts = {
  db: D1Database;
  facts: RequestFacts;
  signer: Signer | null;
  browser: ThisBrowser;
  background: Background;
  /** At most `BOUND_COOKIE_MILLISECONDS`. Tests use less. */
  cookieMilliseconds?: number | undefined;
};

const ID_BYTES = 16;
const ID_FORM = /^[A-Za-z0-9_-]{22}$/;

export function createDeviceKeys({ db, facts, signer, browser, background, cookieMilliseconds }: Parts) {
  const tokens = signer && createDeviceTokens(signer);
  const lifetime = Math.min(cookieMilliseconds ?? Infinity, BOUND_COOKIE_MILLISECONDS);

  /** An empty value clears the cookie. */
  function setCookie(value: string, maxAge: number): void {
    facts.cookies.set(BOUND_COOKIE, value, {
      path: '/',
      httpOnly: true,
      sameSite: 'lax',
      secure: true,
      maxAge,
    });
  }

  /** The cookie's end is counted from the challenge, so that sending a proof twice does not make it last longer. */
  function setBoundCookie(bindingId: string, challengedAt: number): void {
    const endsAt = challengedAt + lifetime;
    const maxAge = Math.max(Math.floor((endsAt - Date.now()) / 1_000), 0);
    setCookie(requireTokens().boundCookie(bindingId, endsAt), maxAge);
  }

  function requireTokens() {
    // Without the secret nothing can be proved. Nobody should be signed out because of that.
    if (!tokens)
      throw new BindingError(
        '[device-keys] COOKIE_SECRET is missing: set it in .dev.vars, or with "npm run deploy".',
      );
    return tokens;
  }

  return {
    /**
     * Returns the challenge that offers the browser to bind its session. `null` unless this request started the session after a password
     * check. Browsers support bound sessions only over https.
     */
    offer(): string | null {
      const { started } = browser;
      if (!tokens || !started || facts.url.protocol !== 'https:') return null;
      const { sessionId, epoch } = started;
      return tokens.bindChallenge(sessionId, { at: Date.now(), epoch, endsAt: absoluteEnd(started) });
    },

    /**
     * Binds the session of this browser to the key in the proof, and sets the bound cookie. Returns the name that the browser should use
     * for the binding. `refused`: the proof does not answer a fresh offer, the session is already bound, or it has ended.
     */
    async bind(proof: string): Promise<{ bindingId: string } | 'refused'> {
      const { presented } = facts;
      const registration = await readRegistration(proof);
      if (!presented || !registration) return 'refused';
      const { userId, sessionId } = presented;
      const offer = await requireTokens().readBindChallenge(registration.challenge, sessionId);
      if (!offer) return 'refused';
      const id = randomBytes(ID_BYTES).toString('base64url');
      // Never earlier than the offer, whatever this machine's clock says, so that no offer can be used twice.
      const createdAt = Math.max(Date.now(), offer.at);
      const binding = { id, key: registration.key, createdAt, offeredAt: offer.at, endsAt: offer.endsAt };
      const { results } = await bind(db, { userId, sessionId, epoch: offer.epoch }, binding).all();
      if (results.length === 0) return 'refused';
      setBoundCookie(id, offer.at);
      return { bindingId: id };
    },

    /**
     * Sets the next bound cookie if the browser proves, with the binding's key, that it received our challenge within the last minute. One
     * query, no write. Any other browser gets a challenge. No cookie is cleared.
     */
    async refresh(bindingId: string, proof: string | null): Promise<Refresh> {
      const binding = ID_FORM.test(bindingId) ? await findBinding(db, bindingId) : null;
      if (!binding?.stands) return { is: 'ended' };
      const { readRefreshChallenge, refreshChallenge } = requireTokens();
      const signed = proof && (await challengeSignedBy(binding.key, proof));
      const challengedAt = signed ? await readRefreshChallenge(signed, bindingId) : null;
      if (challengedAt === null) return { is: 'challenged', challenge: refreshChallenge(bindingId) };
      setBoundCookie(bindingId, challengedAt);
      return { is: 'proven' };
    },

    /**
     * Throws `DeviceUnproven` if the session is bound and this request does not prove that it comes from its device. A request that was
     * under way when the session was bound is accepted without proof. Returns false for such a request and true for any other.
     */
    async requireProof(userId: string, sessionId: string, binding: Binding | undefined): Promise<boolean> {
      if (!binding) return true;
      const cookie = facts.cookies.get(BOUND_COOKIE);
      if (cookie !== undefined && (await tokens?.isBoundCookie(cookie, binding.id))) return true;
      if (Date.now() < binding.createdAt + BINDING_GRACE_MILLISECONDS) return false;
      throw new DeviceUnproven(userId, sessionId);
    },

    /**
     * Cleans up after a refused session without device proof. A bound cookie that proves nothing is cleared, because only a missing one
     * makes the browser refresh. The session stays as it is. `isExpected`: the session's own browser may well lack the proof this once, so
     * nothing is recorded.
     */
    refuse({ userId, sessionId }: DeviceUnproven, isExpected: boolean): void {
      if (tokens && facts.cookies.get(BOUND_COOKIE) !== undefined) {
        setCookie('', 0);
      }
      if (isExpected) return;
      logEvent('device-proof-failed', { userId, sessionId });
      background.run(() => recordUnproven(db, { userId, sessionId }, facts.origin).run());
    },
  };
}
