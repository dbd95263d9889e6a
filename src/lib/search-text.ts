/** Letters that Unicode does not take apart into a letter and a mark, as people type them who do not have them. */
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
/** Accents, and what is written over and under Latin, Greek and Cyrillic letters. Marks of other scripts are letters of theirs. */
const ACCENTS = /[\u0300-\u036f]/g;

/**
 * A text as a search compares it, what is sought and what is searched alike: without case, accents and compatibility forms, so that
 * "sao paulo" finds "São Paulo". By upper case first, which is what makes "ß" "ss" and "ı" "i".
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
