/** A number in [0, 1) that depends on the seed and on what it is drawn for, and on nothing else. */
export type Draw = (...about: (string | number)[]) => number;

/**
 * Draws from a seed. Each is named by what it is for, not by how many came before it: leaving an operation out of a
 * history (as shrinking does) changes nothing for the others.
 * FNV-1a (Fowler, Noll, Vo) turns the name into 32 bits; one step of mulberry32 (Tommy Ettinger, public domain) mixes them.
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
