import { describe, expect, it } from 'vitest';
import { createSigner, type CookieSecrets } from '$lib/server/sessions/signer';

const ORIGIN = 'https://sessions.example';

function signer(secrets: CookieSecrets, origin = ORIGIN) {
  const made = createSigner(secrets, origin);
  if (!made) throw new Error('no signer');
  return made;
}

const own = signer({ current: 'a secret' });

describe('what the secret signs', () => {
  it('a signed text is accepted as it was signed', () => {
    const mac = own.sign('confirmation', 'a', 'b');
    expect(mac).toMatch(/^[\w-]{43}$/);
    expect(own.verify(mac, 'confirmation', 'a', 'b')).toBe(true);
  });

  it.each([
    ['another part', ['a', 'c']],
    ['fewer parts', ['a']],
    ['more parts', ['a', 'b', '']],
    ['the parts in another order', ['b', 'a']],
    ['the same text, parted elsewhere', ['ab', '']],
    ['parts that hold what parts them', ['a","b']],
  ])('a signed text is not accepted with %s', (_, parts) => {
    expect(own.verify(own.sign('confirmation', 'a', 'b'), 'confirmation', ...parts)).toBe(false);
  });

  it('a signature is invalid for another purpose, at another origin, or under another secret', () => {
    const mac = own.sign('confirmation', 'a');
    expect(own.verify(mac, 'known-browser', 'a')).toBe(false);
    expect(signer({ current: 'a secret' }, 'http://sessions.example').verify(mac, 'confirmation', 'a')).toBe(
      false,
    );
    expect(signer({ current: 'another' }).verify(mac, 'confirmation', 'a')).toBe(false);
  });

  it('the previous secret’s signatures are accepted; new ones use the current secret', () => {
    const next = signer({ current: 'the next', previous: 'a secret' });
    expect(next.verify(own.sign('confirmation', 'a'), 'confirmation', 'a')).toBe(true);
    expect(own.verify(next.sign('confirmation', 'a'), 'confirmation', 'a')).toBe(false);
    expect(signer({ current: 'the next' }).verify(next.sign('confirmation', 'a'), 'confirmation', 'a')).toBe(
      true,
    );
  });

  it.each(['', 'a', 'ß'.repeat(43), '=', 'A'.repeat(10_000)])('the signature %j is not accepted', (mac) => {
    expect(own.verify(mac, 'confirmation', 'a')).toBe(false);
  });
});

it('without a secret nothing is signed or accepted', () => {
  expect(createSigner(undefined, ORIGIN)).toBeNull();
  expect(createSigner({ current: '', previous: 'a secret' }, ORIGIN)).toBeNull();
});
