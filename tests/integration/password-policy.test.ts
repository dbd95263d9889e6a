import passwords from '@zxcvbn-ts/language-common/src/passwords.json';
import { describe, expect, it } from 'vitest';
import { strengthOf } from '$lib/password-strength';
import { MOST_USED_PASSWORDS, mostUsed } from '$lib/server/accounts/most-used-passwords';
import { checkPassword } from '$lib/server/accounts/password-policy';
import { PASSWORD_MAX_CHARACTERS, PASSWORD_MIN_CHARACTERS } from '$lib/server/policy';

const check = (password: string, username = 'ada.lovelace') => checkPassword({ password, username });

describe('the password policy', () => {
  it('the policy refuses the 3,000 most used passwords that are long enough, in any case', async () => {
    const listed = passwords.filter((password) => password.length >= PASSWORD_MIN_CHARACTERS).slice(0, 3_000);
    expect(listed).toHaveLength(3_000);
    const accepted = [];
    for (const password of listed) {
      if ((await check(password)) === null || (await check(password.toUpperCase())) === null) {
        accepted.push(password);
      }
    }
    expect(accepted).toEqual([]);
    expect(await check('iloveyou')).toBe('mostUsed');
    expect(await check('Password1')).toBe('mostUsed');
  });

  it('the password list that the build slims is the policy’s list', () => {
    const slimmed = mostUsed(passwords);
    expect(slimmed).toHaveLength(MOST_USED_PASSWORDS);
    expect(slimmed[0]).toBe('password');
    expect(mostUsed(slimmed)).toEqual(slimmed);
    // Passwords are compared in lower case.
    expect(slimmed.filter((password) => password !== password.toLowerCase())).toEqual([]);
  });

  it.each([
    'ada.lovelace',
    'AdaLovelace',
    'ada_lovelace!',
    'adalovelace1815',
    '1815-Ada-Lovelace',
    'ecalevol.ada',
    'ada.lovelaceada.lovelace',
    'ada lovelace sessions 1',
    'sessions2026',
    'Pages-Sessions!',
    'cloudflare1',
    'snoissessnoisses',
  ])(
    'the policy refuses %j, which is little more than the username or the name of the site',
    async (password) => {
      expect(await check(password)).toBe('context');
    },
  );

  it.each([
    'correct horse battery staple',
    'all lower case and no digits',
    'ada.lovelace wrote notes',
    'lovelace analytical engine',
    'ada.lovelace 123456789',
    '🔑🐎🔋📎🔑🐎🔋📎',
    'ada.lovelace🔑🐎🔋📎',
    '        ',
    'x'.repeat(PASSWORD_MAX_CHARACTERS),
  ])('the policy accepts %j, because there are no composition rules', async (password) => {
    expect(await check(password)).toBeNull();
  });

  it('the policy accepts a word from another user’s name', async () => {
    expect(await check('gracehopper1906', 'ada')).toBeNull();
    expect(await check('gracehopper1906', 'grace-hopper')).toBe('context');
  });

  it('the policy checks for breaches last, and only if it is told to', async () => {
    const asked: string[] = [];
    const isBreached = async (password: string) => {
      asked.push(password);
      return password === 'leaked elsewhere';
    };
    expect(await checkPassword({ password: 'leaked elsewhere', username: 'ada', isBreached })).toBe(
      'breached',
    );
    expect(await checkPassword({ password: 'not leaked yet', username: 'ada', isBreached })).toBeNull();
    expect(await checkPassword({ password: 'password1', username: 'ada', isBreached })).toBe('mostUsed');
    expect(
      await checkPassword({ password: 'leaked elsewhere', username: 'ada', isBreached: null }),
    ).toBeNull();
    expect(asked).toEqual(['leaked elsewhere', 'not leaked yet']);
  });
});

describe('the strength shown while typing', () => {
  it('the strength meter calls a password too short exactly when the server does', () => {
    const long = 'zq4vbn7xm2kw9tpd'.slice(0, PASSWORD_MIN_CHARACTERS);
    expect(strengthOf(long.slice(1))).toBe('too-short');
    expect(strengthOf(long)).not.toBe('too-short');
    expect(strengthOf('')).toBe('too-short');
  });

  it.each([
    ['hX4!vq9z', 'weak'],
    ['sunshine23', 'weak'],
    ['copper lamp', 'weak'],
    ['copper lamps', 'fair'],
    ['hX4!vq9zK2m#', 'fair'],
    ['copper lamp river', 'strong'],
    ['correct horse battery staple', 'strong'],
    ['ключ лошадь батарея', 'strong'],
  ])('the strength meter judges %j by its length: %s', (password, strength) => {
    expect(strengthOf(password)).toBe(strength);
  });

  it.each([
    'aaaaaaaaaaaaaaaaaaaa',
    'abababababababababab',
    '12345678901234567890',
    '20260815202608152026',
    'abcdefghijklmnopqrst',
    'zyxwvutsrqponmlkjihg',
    'qwertyuiopasdfghjkl',
    'passwordpassword',
    'Password'.repeat(30),
  ])('the strength meter is not deceived by the length of %j', (password) => {
    expect(strengthOf(password)).toBe('weak');
  });
});
