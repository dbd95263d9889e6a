/** Text that somebody else wrote, as pages show it. It runs in browsers of some years ago: no lookbehind, no `v` flag. */

/**
 * Controls, what turns the direction of a line, halves of characters, private and unassigned ones (all `\p{C}`), what fonts leave out, and what
 * they draw as nothing although it is a symbol or a letter.
 */
export const UNSEEN =
  /[\u{16FE4}\p{C}\p{Default_Ignorable_Code_Point}\u2028\u2029\u2800\uFFFC\u{13441}\u{13442}\u{1D159}]/gu;

/** Marks past what any language stacks on one letter: 3 that fit every script, or 6 of a script's own. */
const FLOODS = [/(\p{Script=Inherited}{3})(\p{Script=Inherited}+)/gu, /(\p{M}{6})(\p{M}+)/gu];

/** A text with something else (`''`) in place of the marks that are too many for one letter. */
export function replaceExcessMarks(text: string, instead: (marks: string) => string): string {
  return FLOODS.reduce(
    (rest, flood) => rest.replace(flood, (_, kept: string, marks: string) => kept + instead(marks)),
    text,
  );
}

/** JSON with everything unseen in it written as `\u…`: the same JSON, and no text in it hides or turns another. */
export function escaped(json: string): string {
  return replaceExcessMarks(json.replace(UNSEEN, asEscapes), asEscapes);
}

function asEscapes(text: string): string {
  return text.replace(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
