import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createSigner, deriveKey, type CookieSecrets } from '$lib/server/sessions/signer';

const ORIGIN = 'https://sessions.example';

function signer(secrets: CookieSecrets, origin = ORIGIN) {
  const made = createSigner(secrets, origin);
  if (!made) throw new Error('no signer');
  return made;
}

const own = signer({ current: 'a secret' });

describe('what the secret signs', () => {
  it('a signed text is accepted as it was signed', async () => {
    const mac = own.sign('confirmation', 'a', 'b');
    expect(mac).toMatch(/^[\w-]{43}$/);
    expect(await own.verify(mac, 'confirmation', 'a', 'b')).toBe(true);
  });

  it.each([
    ['another part', ['a', 'c']],
    ['fewer parts', ['a']],
    ['more parts', ['a', 'b', '']],
    ['the parts in another order', ['b', 'a']],
    ['the same text, parted elsewhere', ['ab', '']],
    ['parts that hold what parts them', ['a","b']],
  ])('a signed text is not accepted with %s', async (_, parts) => {
    expect(await own.verify(own.sign('confirmation', 'a', 'b'), 'confirmation', ...parts)).toBe(false);
  });

  it('a signature is invalid for another purpose, at another origin, or under another secret', async () => {
    const mac = own.sign('confirmation', 'a');
    expect(await own.verify(mac, 'known-browser', 'a')).toBe(false);
    const plain = signer({ current: 'a secret' }, 'http://sessions.example');
    expect(await plain.verify(mac, 'confirmation', 'a')).toBe(false);
    expect(await signer({ current: 'another' }).verify(mac, 'confirmation', 'a')).toBe(false);
  });

  it('each purpose has its own key: the same text signed with the secret itself, or with another purpose’s key, is refused', async () => {
    const text = JSON.stringify(['confirmation', ORIGIN, 'a']);
    const macWith = (key: string | Buffer) => createHmac('sha256', key).update(text).digest('base64url');
    const keys = ['a secret', deriveKey('a secret', 'throttle'), deriveKey('another', 'confirmation')];
    for (const key of keys) expect(await own.verify(macWith(key), 'confirmation', 'a')).toBe(false);
    const right = deriveKey('a secret', 'confirmation');
    expect(await own.verify(macWith(right), 'confirmation', 'a')).toBe(true);
  });

  it('the previous secret’s signatures are accepted; new ones use the current secret', async () => {
    const next = signer({ current: 'the next', previous: 'a secret' });
    expect(await next.verify(own.sign('confirmation', 'a'), 'confirmation', 'a')).toBe(true);
    expect(await own.verify(next.sign('confirmation', 'a'), 'confirmation', 'a')).toBe(false);
    const later = signer({ current: 'the next' });
    expect(await later.verify(next.sign('confirmation', 'a'), 'confirmation', 'a')).toBe(true);
  });

  it.each(['', 'a', 'ß'.repeat(43), '=', 'A'.repeat(10_000)])(
    'the signature %j is not accepted',
    async (mac) => {
      expect(await own.verify(mac, 'confirmation', 'a')).toBe(false);
    },
  );

  it('a signature is not accepted in another spelling of the same bytes', async () => {
    const mac = own.sign('confirmation', 'a');
    const bytes = Buffer.from(mac, 'base64url');
    const spellings = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'].map(
      (last) => mac.slice(0, -1) + last,
    );
    const same = [...spellings, `${mac}=`, `${mac} `, bytes.toString('base64')].filter((text) =>
      Buffer.from(text, 'base64url').equals(bytes),
    );
    expect(same.length).toBeGreaterThan(4);
    for (const text of same) expect(await own.verify(text, 'confirmation', 'a'), text).toBe(text === mac);
  });
});

it('without a secret nothing is signed or accepted', () => {
  expect(createSigner(undefined, ORIGIN)).toBeNull();
  expect(createSigner({ current: '', previous: 'a secret' }, ORIGIN)).toBeNull();
});
