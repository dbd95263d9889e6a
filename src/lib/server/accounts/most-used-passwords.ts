import { PASSWORD_MIN_CHARACTERS } from '../policy.ts'; // with its ending: vite.config.ts imports this file

/** How many of the most used passwords are refused. ASVS 6.2.4 asks for 3,000; these weigh 36 kB in the worker. */
export const MOST_USED_PASSWORDS = 8_000;

/**
 * The part of a list, the most used first, that the policy looks at: shorter ones are refused for their length.
 * vite.config.ts applies it when it builds, so that the rest of the list is not shipped; applied again it changes nothing.
 */
export function mostUsed(passwords: string[]): string[] {
  return passwords
    .filter((password) => password.length >= PASSWORD_MIN_CHARACTERS)
    .slice(0, MOST_USED_PASSWORDS);
}
