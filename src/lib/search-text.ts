/** Letters that Unicode does not decompose into a letter and a mark, with what people type if their keyboard lacks them. */
const PLAIN: Readonly<Record<string, string>> = {
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  æ: 'ae',
  œ: 'oe',
  ŧ: 't',
  ħ: 'h',
};
const WITHOUT_PLAIN_FORM = new RegExp(`[${Object.keys(PLAIN).join('')}]`, 'g');
/** Accents and other marks above and below Latin, Greek and Cyrillic letters. Marks of other scripts count as letters there, so they stay. */
const ACCENTS = /[\u0300-\u036f]/g;

/**
 * Returns a text in the form that a search compares, for the search term and the searched text alike. The form ignores case, accents and
 * compatibility forms, so that "sao paulo" finds "São Paulo". It converts to upper case first, because that turns "ß" into "ss" and "ı"
 * into "i".
 */
export function folded(text: string): string {
  return text
    .normalize('NFKD')
    .toUpperCase()
    .toLowerCase()
    .normalize('NFD')
    .replace(ACCENTS, '')
    .replace(WITHOUT_PLAIN_FORM, (letter) => PLAIN[letter] ?? letter);
}
