/** The proofs of Device Bound Session Credentials: JWTs in which a device's key signs our challenge. */
import { decodeProtectedHeader, jwtVerify } from 'jose';
import { DEVICE_PROOF_MAX_CHARACTERS } from '../policy';

/** A P-256 key as a JSON Web Key (RFC 7517), without a private part. */
export type DevicePublicKey = { kty: 'EC'; crv: 'P-256'; x: string; y: string };

/** 32 bytes in base64url. */
const COORDINATE = /^[A-Za-z0-9_-]{43}$/;

/** Returns the challenge that `key` signed, or `null` if this is not a proof by that key. We choose the algorithm, not the proof. */
export async function challengeSignedBy(key: DevicePublicKey, proof: string): Promise<string | null> {
  if (proof.length > DEVICE_PROOF_MAX_CHARACTERS) return null;
  // The proof comes from a stranger. Whatever is wrong with it, it just does not count as a proof.
  const verified = await jwtVerify(proof, key, { algorithms: ['ES256'], typ: 'dbsc+jwt' }).catch(() => null);
  const challenge: unknown = verified?.payload.jti;
  return typeof challenge === 'string' ? challenge : null;
}

/** Reads a proof for binding a session: returns its key and the challenge that this key signed, or `null` if it is not such a proof. */
export async function readRegistration(
  proof: string,
): Promise<{ key: DevicePublicKey; challenge: string } | null> {
  const key = proof.length <= DEVICE_PROOF_MAX_CHARACTERS ? keyIn(proof) : null;
  const challenge = key && (await challengeSignedBy(key, proof));
  return key && challenge ? { key, challenge } : null;
}

/** Reads the proof's own key, unverified. A key on another curve, or with a private part, is rejected. */
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
