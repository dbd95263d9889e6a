import { asHashed, passwordLength } from './password-characters';

export type PasswordStrength = 'too-short' | 'weak' | 'fair' | 'strong';

/** As `PASSWORD_MIN_CHARACTERS` on the server, which a page cannot import; a test holds the two together. */
const MIN_CHARACTERS = 8;
const FAIR_CHARACTERS = 12;
/** The length that ASVS 6.2.1 recommends. */
const STRONG_CHARACTERS = 15;

/** Neighbours here, in either direction, follow from each other. */
const ROWS = ['0123456789', 'abcdefghijklmnopqrstuvwxyz', 'qwertyuiop', 'asdfghjkl', 'zxcvbnm'];

/**
 * How hard a password is to guess, by its length: the one thing that can be judged honestly without a dictionary.
 * Characters that follow from the ones before do not count as length: runs ("aaaa", "1234", "qwerty"), a password that
 * is one part over and over, and few different characters. A hint while typing, no rule: the server decides by
 * length and by the lists of known passwords.
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
  // Eleven different digits do not exist: without letters a character is worth about half of one.
  const weight = /^\d+$/.test(password) ? 0.5 : 1;
  return Math.min(outsideRuns.length, 2 * new Set(characters).size) * weight;
}

/** Whether the third of three characters could be told from the two before it. */
function continuesRun([first, second, third]: string[]): boolean {
  if (first === undefined || second === undefined || third === undefined) return false;
  if (first === second && second === third) return true;
  const run = first + second + third;
  const backwards = third + second + first;
  return ROWS.some((row) => row.includes(run) || row.includes(backwards));
}
