/** Stands for `$lib/badges` in the package: the kit shows nothing, so no name can imitate a badge of it. */
export const BADGES: readonly string[] = [];
