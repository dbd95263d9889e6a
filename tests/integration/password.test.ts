import { generateLuciaPasswordHash, validateLuciaPasswordHash } from 'lucia/utils';
import { describe, expect, it } from 'vitest';
import { scryptPasswordHash } from '$lib/server/accounts/password';

describe('the password hash', () => {
  it('a hash made by stock Lucia can be verified', async () => {
    const hash = await generateLuciaPasswordHash('correct horse battery');
    expect(await scryptPasswordHash.validate('correct horse battery', hash)).toBe(true);
    expect(await scryptPasswordHash.validate('correct horse batterz', hash)).toBe(false);
  });

  it('stock Lucia can verify a hash made here', async () => {
    const hash = await scryptPasswordHash.generate('correct horse battery');
    expect(hash).toMatch(/^s2:[a-z0-9]{16}:[0-9a-f]{128}$/);
    expect(await validateLuciaPasswordHash('correct horse battery', hash)).toBe(true);
    expect(await validateLuciaPasswordHash('correct horse batterz', hash)).toBe(false);
  });

  it('one password gets two different hashes', async () => {
    const [first, second] = [await scryptPasswordHash.generate('a'), await scryptPasswordHash.generate('a')];
    expect(first).not.toBe(second);
  });

  it('passwords differ by spaces, case, emoji and everything past 72 bytes', async () => {
    const long = 'x'.repeat(80);
    const pairs = [
      ['pass word', 'password'],
      ['Password', 'password'],
      ['pass🔑word', 'pass🔒word'],
      [`${long}a`, `${long}b`],
      [' password', 'password'],
    ] as const;
    for (const [password, other] of pairs) {
      const hash = await scryptPasswordHash.generate(password);
      expect(await scryptPasswordHash.validate(password, hash)).toBe(true);
      expect(await scryptPasswordHash.validate(other, hash)).toBe(false);
    }
  });

  it('the hash uses NFKC as Lucia does: a composed and a decomposed letter are one password', async () => {
    const hash = await scryptPasswordHash.generate('caf\u00e9 au lait');
    expect(await scryptPasswordHash.validate('cafe\u0301 au lait', hash)).toBe(true);
  });

  it('a string that is not a hash is refused', async () => {
    for (const hash of ['', 's2::', 's2:salt', 's1:salt:00', 's2:salt:zz', '$2a$10$abc']) {
      expect(await scryptPasswordHash.validate('a', hash)).toBe(false);
    }
  });
});
