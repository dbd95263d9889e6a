/** Replaces `$lib/badges` in the package. The kit shows no badges, so no name can imitate one. */
export const BADGES: readonly string[] = [];
