/** Returns a number in [0, 1) that depends only on the seed and on its purpose. */
export type Draw = (...about: (string | number)[]) => number;

/**
 * Random draws from a seed. Each is named by its purpose and not by how many came before. So leaving an operation out of a history (as
 * shrinking does) does not change the others. FNV-1a (Fowler, Noll, Vo) turns the name into 32 bits; one step of mulberry32 (Tommy
 * Ettinger, public domain) mixes them.
 */
export function seededDraws(seed: number): Draw {
  return (...about) => {
    let hash = 0x811c9dc5 ^ seed;
    for (const character of about.join('|')) {
      hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
    }
    let mixed = (hash + 0x6d2b79f5) | 0;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
