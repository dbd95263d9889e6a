import { asHashed } from '$lib/password-characters';
import type { BreachLookup } from './breach';
import { mostUsed } from './most-used-passwords';

/** Words from this site's context (ASVS 6.1.2). A longer word comes before a shorter one that it starts with. */
const SITE_WORDS = ['pages-sessions', 'sessions', 'session', 'workers-kv', 'cloudflare', 'lucia'];
/** A password made of a context word is accepted if it has more digits than this. */
const FEW_DIGITS = 8;
const CONTEXT_WORD_MIN_CHARACTERS = 3;

/** `context`: made of the username or the site's name. `mostUsed`: among the most used. `breached`: found in a breach. */
export type Weakness = 'context' | 'mostUsed' | 'breached';

export type NewPassword = {
  password: string;
  username: string;
  /** Also asks a breach service; see `breachLookup`. */
  isBreached?: BreachLookup | null;
};

/**
 * Returns what is wrong with a new password, or `null` if it may be used. The form checks its length, and there are no composition rules
 * (ASVS 6.2.5). It refuses the most used passwords (6.2.4), the username and the site's name with little added (6.2.11) and, if
 * `isBreached` is given, breached ones (6.2.12). All checks use the form that is hashed: every spelling of that form signs in, so it is the
 * one that attackers guess.
 */
export async function checkPassword({
  password: typed,
  username,
  isBreached,
}: NewPassword): Promise<Weakness | null> {
  const password = asHashed(typed);
  if (isMadeOfContext(password, username)) return 'context';
  if ((await mostUsedPasswords()).has(password.toLowerCase())) return 'mostUsed';
  return (await isBreached?.(password)) ? 'breached' : null;
}

/** A public list without user data. It is cached per isolate and loaded only where a password is chosen. */
let list: Set<string> | undefined;

async function mostUsedPasswords(): Promise<Set<string>> {
  return (list ??= new Set(
    mostUsed((await import('@zxcvbn-ts/language-common/src/passwords.json')).default),
  ));
}

/** Whether a password consists of context words, forwards or backwards, plus nothing but punctuation and a few digits. */
function isMadeOfContext(password: string, username: string): boolean {
  const whole = squeeze(password);
  const rest = [username, ...SITE_WORDS]
    .map(squeeze)
    .filter((word) => word.length >= CONTEXT_WORD_MIN_CHARACTERS)
    .flatMap((word) => [word, [...word].reverse().join('')])
    .reduce((text, word) => text.replaceAll(word, ' '), whole);
  const own = rest.replaceAll(' ', '');
  return rest !== whole && /^\d*$/.test(own) && own.length <= FEW_DIGITS;
}

/** Removes case, white space and ASCII punctuation: `Ada_Lovelace!` becomes `adalovelace`. */
function squeeze(text: string): string {
  return text.toLowerCase().replace(/[\s!-/:-@[-`{-~]/g, '');
}
