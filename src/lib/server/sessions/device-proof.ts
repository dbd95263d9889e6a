/** The proofs of Device Bound Session Credentials: JWTs that a device's key signs over our challenge. */
import { decodeProtectedHeader, jwtVerify } from 'jose';
import { DEVICE_PROOF_MAX_CHARACTERS } from '../policy';

/** A P-256 key as a JSON Web Key (RFC 7517), with nothing private in it. */
export type DevicePublicKey = { kty: 'EC'; crv: 'P-256'; x: string; y: string };

/** 32 bytes in base64url. */
const COORDINATE = /^[A-Za-z0-9_-]{43}$/;

/** The challenge that `key` signed; `null` when this is no proof by that key. What algorithm it is is our choice, not the proof's. */
export async function challengeSignedBy(key: DevicePublicKey, proof: string): Promise<string | null> {
  if (proof.length > DEVICE_PROOF_MAX_CHARACTERS) return null;
  // A stranger wrote it: whatever is wrong with it, it is no proof.
  const verified = await jwtVerify(proof, key, { algorithms: ['ES256'], typ: 'dbsc+jwt' }).catch(() => null);
  const challenge: unknown = verified?.payload.jti;
  return typeof challenge === 'string' ? challenge : null;
}

/** The key that a proof brings and the challenge that this key signed, when a session is to be bound; `null` when it is no such proof. */
export async function readRegistration(
  proof: string,
): Promise<{ key: DevicePublicKey; challenge: string } | null> {
  const key = proof.length <= DEVICE_PROOF_MAX_CHARACTERS ? keyIn(proof) : null;
  const challenge = key && (await challengeSignedBy(key, proof));
  return key && challenge ? { key, challenge } : null;
}

/** The proof's own key, unverified. Of another curve, or with a private part, it is none. */
function keyIn(proof: string): DevicePublicKey | null {
  const jwk = headerOf(proof)?.jwk;
  if (jwk?.kty !== 'EC' || jwk.crv !== 'P-256' || 'd' in jwk) return null;
  const { x, y } = jwk;
  return isCoordinate(x) && isCoordinate(y) ? { kty: 'EC', crv: 'P-256', x, y } : null;
}

function headerOf(proof: string) {
  try {
    return decodeProtectedHeader(proof);
  } catch {
    return null;
  }
}

function isCoordinate(value: unknown): value is string {
  return typeof value === 'string' && COORDINATE.test(value);
}
