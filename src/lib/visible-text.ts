/** How pages show text that somebody else wrote. This code must run in browsers that are some years old: no lookbehind, no `v` flag. */

/**
 * Characters that cannot be seen: controls, characters that change text direction, lone surrogates, private-use and unassigned characters
 * (all `\p{C}`), characters that fonts leave out, and symbols and letters that fonts draw as nothing.
 */
export const UNSEEN =
  /[\u{16FE4}\p{C}\p{Default_Ignorable_Code_Point}\u2028\u2029\u2800\uFFFC\u{13441}\u{13442}\u{1D159}]/gu;

/** More marks on one letter than any language uses: after 3 that fit every script, or after 6 of one script. */
const FLOODS = [/(\p{Script=Inherited}{3})(\p{Script=Inherited}+)/gu, /(\p{M}{6})(\p{M}+)/gu];

/** Replaces the marks that are too many for one letter, for instance by `''`. */
export function replaceExcessMarks(text: string, instead: (marks: string) => string): string {
  return FLOODS.reduce(
    (rest, flood) => rest.replace(flood, (_, kept: string, marks: string) => kept + instead(marks)),
    text,
  );
}

/** Returns the same JSON with every invisible character written as `\u…`, so that no text in it hides or changes another. */
export function escaped(json: string): string {
  return replaceExcessMarks(json.replace(UNSEEN, asEscapes), asEscapes);
}

function asEscapes(text: string): string {
  return text.replace(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
