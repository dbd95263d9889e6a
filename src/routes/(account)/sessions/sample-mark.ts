/** Follows the user id in the id of a sample session. In a real session id a hash is there, which does not begin like this by chance. */
export const SAMPLE_MARK = 'sample-';

export function isSample({ id }: { id: string }): boolean {
  return id.slice(id.lastIndexOf('.') + 1).startsWith(SAMPLE_MARK);
}
