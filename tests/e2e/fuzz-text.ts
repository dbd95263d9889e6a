import * as fc from 'fast-check';

/** No page may return this as markup. */
export const MARK = 'fuzz7f3a';

const MARKUP = [
  `<script>${MARK}</script>`,
  `</script><script>${MARK}</script>`,
  `"><img src=x onerror=${MARK}>`,
  `" onfocus="${MARK}" x="`,
  `' onfocus='${MARK}' x='`,
  `{@html '<script>${MARK}</script>'}`,
  `%3Cscript%3E${MARK}%3C/script%3E`,
  `javascript:${MARK}`,
];

const LONGEST_CHARACTERS = 100_000;

/** Texts that mean something to a parser, a database or a page, and texts without any meaning. */
export const hostileText = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...MARKUP) },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      '',
      ' ',
      '\0',
      'a\0b',
      '\r\nx-fuzz: 1',
      '../../etc/passwd',
      '%00',
      '%ff',
      '\u202Eadmin',
      'é',
      'e\u0301',
      '👩‍🚀',
      "' OR 1=1 --",
      '__proto__',
      'constructor',
      'null',
      'NaN',
      '-1',
      '0',
      '1e999',
      '9007199254740993',
      '[object Object]',
    ),
  },
  {
    weight: 3,
    arbitrary: fc.string({ unit: 'binary', maxLength: 60 }).filter((text) => text.isWellFormed()),
  },
  { weight: 2, arbitrary: fc.string({ unit: 'grapheme', maxLength: 60 }) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        fc.constantFrom('x', '<', '\u00e9', '&', '\0'),
        fc.integer({ min: 300, max: LONGEST_CHARACTERS }),
      )
      .map(([character, length]) => character.repeat(length).slice(0, length)),
  },
);
