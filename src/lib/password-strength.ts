import { asHashed, passwordLength } from './password-characters';

export type PasswordStrength = 'too-short' | 'weak' | 'fair' | 'strong';

/** Equal to the server's `PASSWORD_MIN_CHARACTERS`, which a page cannot import. A test keeps the two in step. */
const MIN_CHARACTERS = 8;
const FAIR_CHARACTERS = 12;
/** The length that ASVS 6.2.1 recommends. */
const STRONG_CHARACTERS = 15;

/** Characters that are neighbours in one of these rows, in either direction, count as a run. */
const ROWS = ['0123456789', 'abcdefghijklmnopqrstuvwxyz', 'qwertyuiop', 'asdfghjkl', 'zxcvbnm'];

/**
 * Estimates from its length how hard a password is to guess. Without a dictionary, only length can be judged honestly. Characters that
 * follow from earlier ones do not count: runs ("aaaa", "1234", "qwerty"), a repeated part, or a few characters used again and again. This
 * is a hint while typing and not a rule. The server decides by length and by its lists of known passwords.
 */
export function strengthOf(password: string): PasswordStrength {
  const hashed = asHashed(password);
  if (passwordLength(password) < MIN_CHARACTERS) return 'too-short';
  const length = unpredictableCharacters(hashed.toLowerCase());
  if (length >= STRONG_CHARACTERS) return 'strong';
  return length >= FAIR_CHARACTERS ? 'fair' : 'weak';
}

function unpredictableCharacters(password: string): number {
  const part = /^(.+?)\1+$/su.exec(password)?.[1];
  if (part) return unpredictableCharacters(part) + 1;
  const characters = [...password];
  const outsideRuns = characters.filter((_, i) => !continuesRun(characters.slice(Math.max(i - 2, 0), i + 1)));
  // There are only ten digits. Without letters, a character counts as half a character.
  const weight = /^\d+$/.test(password) ? 0.5 : 1;
  return Math.min(outsideRuns.length, 2 * new Set(characters).size) * weight;
}

/** Returns whether the third of three characters is predictable from the two before it. */
function continuesRun([first, second, third]: string[]): boolean {
  if (first === undefined || second === undefined || third === undefined) return false;
  if (first === second && second === third) return true;
  const run = first + second + third;
  const backwards = third + second + first;
  return ROWS.some((row) => row.includes(run) || row.includes(backwards));
}
