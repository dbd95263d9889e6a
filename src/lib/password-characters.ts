/** The form in which a password is hashed, and so the one in which it is judged, wherever it is judged: Unicode's NFKC, as Lucia v2 hashes. */
export function asHashed(password: string): string {
  return password.normalize('NFKC');
}

/** How many characters a password has: code points of the form that is hashed, so that an emoji is one (NIST SP 800-63B). */
export function passwordLength(password: string): number {
  return [...asHashed(password)].length;
}
