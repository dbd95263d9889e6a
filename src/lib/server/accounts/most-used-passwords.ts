import { PASSWORD_MIN_CHARACTERS } from '../policy.ts'; // With its extension, because vite.config.ts imports this file.

/** How many of the most used passwords are refused. ASVS 6.2.4 asks for 3,000. These 8,000 take 36 kB in the Worker. */
export const MOST_USED_PASSWORDS = 8_000;

/**
 * The entries of a list (most used first) that the policy needs. Shorter passwords are refused for their length anyway. vite.config.ts
 * applies this at build time, so that the rest of the list is not shipped. Applying it again changes nothing.
 */
export function mostUsed(passwords: string[]): string[] {
  return passwords
    .filter((password) => password.length >= PASSWORD_MIN_CHARACTERS)
    .slice(0, MOST_USED_PASSWORDS);
}
