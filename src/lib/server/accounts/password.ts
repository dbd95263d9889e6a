import { scrypt, timingSafeEqual } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { generateRandomString } from 'lucia/utils';
import { asHashed } from '$lib/password-characters';
import { SCRYPT } from '../policy';

/** Lucia's `passwordHash` option: hashes a password and compares a password with a hash. */
export type PasswordHash = {
  generate: (password: string) => Promise<string>;
  validate: (password: string, hash: string) => Promise<boolean>;
};

const SALT_CHARACTERS = 16;
/** A hash that matches no password. The password of an unknown user is compared with it, so that the work is the same. */
const NOBODYS_HASH = `s2:${'0'.repeat(SALT_CHARACTERS)}:${'0'.repeat(SCRYPT.keyBytes * 2)}`;

/**
 * Lucia v2's own hash, `s2:<salt>:<hex>`, with scrypt over the NFKC form. `node:crypto` computes it instead of JavaScript. Hashes made by
 * stock Lucia verify here, and vice versa.
 */
export const scryptPasswordHash: PasswordHash = {
  async generate(password) {
    const salt = generateRandomString(SALT_CHARACTERS);
    return `s2:${salt}:${(await derive(password, salt)).toString('hex')}`;
  },
  async validate(password, hash) {
    const [version, salt, hex] = hash.split(':');
    if (version !== 's2' || !salt || !hex) return false;
    const expected = Buffer.from(hex, 'hex');
    const actual = await derive(password, salt);
    return expected.length === actual.length && timingSafeEqual(expected, actual);
  },
};

/** Does the work of comparing a password and returns false (ASVS 6.3.8: an unknown user takes as long as a wrong password). */
export async function compareWithNothing(passwordHash: PasswordHash, password: string): Promise<false> {
  await passwordHash.validate(password, NOBODYS_HASH);
  return false;
}

/**
 * One hash blocks the isolate's thread for about 65 ms: although `scrypt` is asynchronous, workerd computes it on that thread. So each hash
 * starts a turn later, behind the requests that are already waiting.
 */
async function derive(password: string, salt: string): Promise<Buffer> {
  const { cost: N, blockSize: r, parallelization: p, keyBytes } = SCRYPT;
  // Node refuses to use more than `maxmem`, 32 MiB by default. scrypt needs 128 · N · r bytes and a little more.
  const maxmem = 2 * 128 * N * r;
  await delay(0);
  return new Promise((resolve, reject) => {
    scrypt(asHashed(password), salt, keyBytes, { N, r, p, maxmem }, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}
