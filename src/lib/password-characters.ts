/** Returns a password in the form that is hashed: Unicode NFKC, as in Lucia v2. Every check of a password must use this form, too. */
export function asHashed(password: string): string {
  return password.normalize('NFKC');
}

/** Returns the number of characters in a password: code points of the form that is hashed, so that an emoji counts as one (NIST SP 800-63B). */
export function passwordLength(password: string): number {
  return [...asHashed(password)].length;
}
