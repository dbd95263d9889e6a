/** Sessions that are bound to their device (Device Bound Session Credentials): docs/device-binding.md. */
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

/** The session is bound to its device, and this request does not prove that it comes from there. It has not ended. */
export class DeviceUnproven extends Error {
  constructor(
    readonly userId: string,
    readonly sessionId: string,
  ) {
    super('[device-keys] the session is bound to its device, and no valid proof of it came');
    this.name = 'DeviceUnproven';
  }
}

/** What a refresh comes to. `ended`: the binding's session has ended, or there is no such binding. */
export type Refresh = { is: 'proven' } | { is: 'ended' } | { is: 'challenged'; challenge: string };

type Parts = {
  db: D1Database;
  facts: RequestFacts;
  signer: Signer | null;
  browser: ThisBrowser;
  background: Background;
  /** At most `BOUND_COOKIE_MILLISECONDS`; shorter in tests. */
  cookieMilliseconds?: number | undefined;
};

const ID_BYTES = 16;
const ID_FORM = /^[A-Za-z0-9_-]{22}$/;

export function createDeviceKeys({ db, facts, signer, browser, background, cookieMilliseconds }: Parts) {
  const tokens = signer && createDeviceTokens(signer);
  const lifetime = Math.min(cookieMilliseconds ?? Infinity, BOUND_COOKIE_MILLISECONDS);

  /** An empty value takes it away. */
  function setCookie(value: string, maxAge: number): void {
    facts.cookies.set(BOUND_COOKIE, value, {
      path: '/',
      httpOnly: true,
      sameSite: 'lax',
      secure: true,
      maxAge,
    });
  }

  /** Its end counts from the challenge: a proof that is sent twice makes no cookie that lasts longer. */
  function setBoundCookie(bindingId: string, challengedAt: number): void {
    const endsAt = challengedAt + lifetime;
    const maxAge = Math.max(Math.floor((endsAt - Date.now()) / 1_000), 0);
    setCookie(requireTokens().boundCookie(bindingId, endsAt), maxAge);
  }

  function requireTokens() {
    // Without the secret nothing can be proved, and nobody is to be signed out for that.
    if (!tokens)
      throw new BindingError(
        '[device-keys] COOKIE_SECRET is missing: set it in .dev.vars, or with "npm run deploy".',
      );
    return tokens;
  }

  return {
    /**
     * The challenge that offers the browser to bind the session that this request gave it after its password was given; `null` when it gave
     * none. Browsers know of bound sessions over https alone.
     */
    offer(): string | null {
      const { started } = browser;
      if (!tokens || !started || facts.url.protocol !== 'https:') return null;
      const { sessionId, epoch } = started;
      return tokens.bindChallenge(sessionId, { at: Date.now(), epoch, endsAt: absoluteEnd(started) });
    },

    /**
     * Binds the session of this browser to the key that the proof brings, and sets the bound cookie. Returns what the browser is to call the
     * binding; `refused`: no proof of a fresh offer, bound already, or the session has ended.
     */
    async bind(proof: string): Promise<{ bindingId: string } | 'refused'> {
      const { presented } = facts;
      const registration = await readRegistration(proof);
      if (!presented || !registration) return 'refused';
      const { userId, sessionId } = presented;
      const offer = requireTokens().readBindChallenge(registration.challenge, sessionId);
      if (!offer) return 'refused';
      const id = randomBytes(ID_BYTES).toString('base64url');
      // Not before the offer, whatever this machine's clock says: so no offer is taken twice.
      const createdAt = Math.max(Date.now(), offer.at);
      const binding = { id, key: registration.key, createdAt, offeredAt: offer.at, endsAt: offer.endsAt };
      const { results } = await bind(db, { userId, sessionId, epoch: offer.epoch }, binding).all();
      if (results.length === 0) return 'refused';
      setBoundCookie(id, offer.at);
      return { bindingId: id };
    },

    /**
     * The next bound cookie, for a browser that proves with the binding's key that it has had our challenge within the last minute. One query, no
     * write. Another browser gets a challenge, and no cookie is cleared.
     */
    async refresh(bindingId: string, proof: string | null): Promise<Refresh> {
      const binding = ID_FORM.test(bindingId) ? await findBinding(db, bindingId) : null;
      if (!binding?.stands) return { is: 'ended' };
      const { readRefreshChallenge, refreshChallenge } = requireTokens();
      const signed = proof && (await challengeSignedBy(binding.key, proof));
      const challengedAt = signed ? readRefreshChallenge(signed, bindingId) : null;
      if (challengedAt === null) return { is: 'challenged', challenge: refreshChallenge(bindingId) };
      setBoundCookie(bindingId, challengedAt);
      return { is: 'proven' };
    },

    /**
     * Throws `DeviceUnproven` if the session is bound and this request does not prove that it comes from its device. Requests that were under way
     * when it was bound have no proof yet. Returns whether nothing of the proof is missing.
     */
    requireProof(userId: string, sessionId: string, binding: Binding | undefined): boolean {
      if (!binding) return true;
      const cookie = facts.cookies.get(BOUND_COOKIE);
      if (cookie !== undefined && tokens?.isBoundCookie(cookie, binding.id)) return true;
      if (Date.now() < binding.createdAt + BINDING_GRACE_MILLISECONDS) return false;
      throw new DeviceUnproven(userId, sessionId);
    },

    /**
     * What an answer that refuses a session for lack of proof leaves behind. A bound cookie that proves nothing goes, as only a missing one makes
     * the browser refresh. The session stays as it is. `isExpected`: its own browser may well come without proof this once, so nothing is noted.
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
