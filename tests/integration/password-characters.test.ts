/** Passwords are checked in the form that is hashed, NFKC, and counted in code points, which is nearly what people see as characters. */
import { describe, expect, it } from 'vitest';
import { strengthOf } from '$lib/password-strength';
import { scryptPasswordHash } from '$lib/server/accounts/password';
import { checkPassword } from '$lib/server/accounts/password-policy';
import { FORM_MAX_BYTES, PASSWORD_MAX_CHARACTERS } from '$lib/server/policy';
import {
  changePasswordForm,
  deleteAccountForm,
  parseForm,
  readForm,
  signInForm,
  signUpForm,
} from '$lib/server/http/form';

const KEY = '🔑';
/** One code point that NFKC expands to eighteen. */
const LIGATURE = '\ufdfa';
/** Four code points (ten bytes) that NFKC combines into one. Nothing shrinks more. */
const STACKED = '\u{1d6c2}\u0313\u0300\u0345';
const fullWidth = (text: string) =>
  [...text].map((letter) => String.fromCodePoint((letter.codePointAt(0) ?? 0) + 0xfee0)).join('');

/** Returns the form's errors by field, for fields sent as a browser sends them. */
async function errorsOf(schema: Parameters<typeof parseForm>[0], fields: Record<string, string>) {
  const body = new URLSearchParams(fields);
  const request = new Request('https://sessions.example/', { method: 'POST', body });
  return parseForm(schema, await readForm(request)).errors ?? {};
}

const ofNewPassword = async (password: string) => {
  const [signUp, change] = await Promise.all([
    errorsOf(signUpForm, { username: 'ada', password }),
    errorsOf(changePasswordForm, { currentPassword: 'x', newPassword: password }),
  ]);
  const said = 'password' in signUp ? signUp.password : undefined;
  expect('newPassword' in change ? change.newPassword : undefined).toBe(said);
  return said ?? 'taken';
};

describe('the length of a new password', () => {
  it.each([
    ['7 letters', 'zq7vkxw', 'at least 8'],
    ['8 letters', 'zq7vkxwm', 'taken'],
    ['64 letters', 'zq7vkxwm'.repeat(8), 'taken'],
    ['256 letters', 'zq7vkxwm'.repeat(32), 'taken'],
    ['257 letters', `${'zq7vkxwm'.repeat(32)}z`, 'at most 256'],
    ['4 emoji', KEY.repeat(4), 'at least 8'],
    ['7 emoji', KEY.repeat(7), 'at least 8'],
    ['8 emoji', KEY.repeat(8), 'taken'],
    ['256 emoji', KEY.repeat(256), 'taken'],
    ['257 emoji', KEY.repeat(257), 'at most 256'],
    ['7 letters in 8 code points, decomposed', 'cafe\u0301123', 'at least 8'],
    ['8 letters in 9 code points, decomposed', 'cafe\u03011234', 'taken'],
    ['8 letters in 7 code points, one a ligature', 'ﬁx4vqz7', 'taken'],
    ['256 letters in 1,024 code points', STACKED.repeat(256), 'taken'],
    ['more than 256 letters in 15 code points', LIGATURE.repeat(15), 'at most 256'],
    ['7 lone surrogates', '\ud83d'.repeat(7), 'at least 8'],
    ['8 lone surrogates', '\udd11'.repeat(8), 'taken'],
    ['nothing', '', 'Enter a password'],
  ])(
    'the length of a new password is counted in code points of the hashed form: %s',
    async (_, password, said) => {
      expect(await ofNewPassword(password)).toContain(said);
      // The page says the same while the password is typed.
      const isTooShort = said !== 'taken' && said !== 'at most 256';
      expect(strengthOf(password) === 'too-short').toBe(isTooShort);
    },
  );

  it('a form has room for two passwords of the longest kind', () => {
    const longest = STACKED.repeat(PASSWORD_MAX_CHARACTERS);
    const form = new URLSearchParams({ currentPassword: longest, newPassword: longest });
    expect(form.toString().length).toBeLessThan(FORM_MAX_BYTES);
  });
});

describe('a password that was set before', () => {
  /** What the earlier rule accepted: 256 UTF-16 units as typed. */
  it.each([
    ['4 emoji', KEY.repeat(4)],
    ['128 emoji', KEY.repeat(128)],
    ['256 ligatures, which are 4,608 letters', LIGATURE.repeat(256)],
    ['256 letters', 'x'.repeat(256)],
    ['256 letters in 1,024 code points, by the rule of now', STACKED.repeat(256)],
  ])('a password that was set before can still be entered: %s', async (_, password) => {
    expect(await errorsOf(signInForm, { username: 'ada', password })).toEqual({});
    expect(await errorsOf(deleteAccountForm, { password })).toEqual({});
    const change = { currentPassword: password, newPassword: 'a good new password' };
    expect(await errorsOf(changePasswordForm, change)).toEqual({});
    expect(await scryptPasswordHash.validate(password, await scryptPasswordHash.generate(password))).toBe(
      true,
    );
  });
});

describe('the lists of passwords that are refused', () => {
  const check = (password: string, username = 'ada.lovelace') => checkPassword({ password, username });

  it.each([
    fullWidth('password'),
    fullWidth('PASSWORD'),
    fullWidth('password1'),
    '𝐩𝐚𝐬𝐬𝐰𝐨𝐫𝐝',
    'ⓟⓐⓢⓢⓦⓞⓡⓓ',
    'paſſword',
    'pa\u017f\u017fword1',
    '¹²³⁴⁵⁶⁷⁸⁹',
    'ﬁrebird',
  ])('the lists of refused passwords look for a password as it is hashed: %j', async (password) => {
    expect(await check(password)).toBe('mostUsed');
  });

  it.each([fullWidth('adalovelace'), fullWidth('cloudflare1'), 'sessions２０２６'])(
    'the lists of refused passwords look for context in the hashed form: %j',
    async (password) => {
      expect(await check(password)).toBe('context');
    },
  );

  it('the breach look-up gets the hashed form', async () => {
    const asked: string[] = [];
    const isBreached = async (password: string) => asked.push(password) > 0;
    expect(
      await checkPassword({ password: fullWidth('leaked-elsewhere'), username: 'ada', isBreached }),
    ).toBe('breached');
    expect(asked).toEqual(['leaked-elsewhere']);
  });
});

describe('the strength shown while typing', () => {
  it.each([
    [KEY.repeat(20), 'weak'],
    [fullWidth('aaaaaaaaaaaaaaaaaaaa'), 'weak'],
    [fullWidth('12345678901234567890'), 'weak'],
    ['cafe\u0301 lamp x', 'weak'],
    ['cafe\u0301 lamps x', 'fair'],
  ])('the strength meter judges the hashed form of %j: %s', (password, strength) => {
    expect(strengthOf(password)).toBe(strength);
  });
});
