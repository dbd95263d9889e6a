import type { PasswordStrength } from '$lib/password-strength';

/** Apart from the words that every page carries: only sign-up and the account page need them. */
export const strength: Record<PasswordStrength, string> = {
  'too-short': 'Too short so far',
  weak: 'Easy to guess',
  fair: 'Fair',
  strong: 'Strong',
};
