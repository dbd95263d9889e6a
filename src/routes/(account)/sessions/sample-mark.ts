/** How the id of a sample session goes on behind its user's. A session's own is a hash, which does not begin so by chance. */
export const SAMPLE_MARK = 'sample-';

export function isSample({ id }: { id: string }): boolean {
  return id.slice(id.lastIndexOf('.') + 1).startsWith(SAMPLE_MARK);
}
