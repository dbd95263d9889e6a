import { asHashed } from '$lib/password-characters';
import type { BreachLookup } from './breach';
import { mostUsed } from './most-used-passwords';

/** Words that this site brings to mind (ASVS 6.1.2), the longer before the shorter that it begins with. */
const SITE_WORDS = ['pages-sessions', 'sessions', 'session', 'workers-kv', 'cloudflare', 'lucia'];
/** More digits than these beside a context word, and a password is no longer little more than that word. */
const FEW_DIGITS = 8;
const CONTEXT_WORD_MIN_CHARACTERS = 3;

/** Made of the username or the site's name, among the most used, or found in a breach. */
export type Weakness = 'context' | 'mostUsed' | 'breached';

export type NewPassword = {
  password: string;
  username: string;
  /** Asks a breach service too; see `breachLookup`. */
  isBreached?: BreachLookup | null;
};

/**
 * What is wrong with a new password, or `null` if it may be used. Its length is
 * the form's to check, and there is no rule of composition (ASVS 6.2.5). Refused are the most used passwords
 * (6.2.4), the username and the site's name with little added (6.2.11) and, where asked for, breached ones (6.2.12).
 * All of it in the form that is hashed: every other way to type that form signs in as well, so it is the one that guessers try.
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

/** A public list, no one's data: kept for the isolate, and loaded only where a password is chosen. */
let list: Set<string> | undefined;

async function mostUsedPasswords(): Promise<Set<string>> {
  return (list ??= new Set(
    mostUsed((await import('@zxcvbn-ts/language-common/src/passwords.json')).default),
  ));
}

/** Whether a password is context words, forwards or backwards, and beside them nothing but punctuation and a few digits. */
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

/** Without case, white space and ASCII punctuation, so that `Ada_Lovelace!` is `adalovelace`. */
function squeeze(text: string): string {
  return text.toLowerCase().replace(/[\s!-/:-@[-`{-~]/g, '');
}
