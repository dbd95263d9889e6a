import * as fc from 'fast-check';
import { hostileText, MARK } from './fuzz-text';

/** Header values contain Latin-1 and no control characters, because Node sends no others. */
const headerText = hostileText.map((text) => text.replace(/[^\t\x20-\x7e\x80-\xff]/g, '').slice(0, 8_192));

const cookieValue = fc.oneof(
  fc.constantFrom(
    'LIVE',
    'FRESH',
    'LIVE',
    'LIVELIVE',
    'OWN_ID',
    'UNKNOWN_ID',
    'CONFIRMED',
    'CONFIRMED',
    'SWAPPED',
    'CONFIRMEDA',
    'ACONFIRMED',
    'CONFIRMED.SWAPPED',
    'USER_ID',
    '.',
    '%',
    '%00',
    '"LIVE"',
    '',
    'é',
  ),
  fc.constantFrom('dark', 'light', '"><script>', 'USER_ID.999999999999999.999999999999999', 'USER_ID.0.0'),
  headerText.map((text) => text.replaceAll(';', '')),
  fc.constant('x'.repeat(8_192)),
);

export const cookieHeader = fc.oneof(
  { weight: 5, arbitrary: fc.constant('pages-session=LIVE') },
  { weight: 1, arbitrary: fc.constant('pages-session=FRESH') },
  {
    weight: 3,
    arbitrary: fc
      .array(
        fc.tuple(
          fc.constantFrom(
            'pages-session',
            'pages-session',
            '__Host-session',
            'confirmation',
            'confirmation',
            '__Host-confirmation',
            'device',
            '__Host-device',
            'theme',
            'visits',
          ),
          cookieValue,
        ),
        { minLength: 1, maxLength: 3 },
      )
      .map((cookies) => cookies.map(([name, value]) => `${name}=${value}`).join('; ')),
  },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom('CONFIRMED', 'SWAPPED', 'CONFIRMEDA', 'eyJ2IjoxfQ.SWAPPED')
      .map((value) => `pages-session=LIVE; confirmation=${value}`),
  },
  { weight: 1, arbitrary: headerText },
);

const OTHER_HEADERS: Record<string, fc.Arbitrary<string>> = {
  'accept-encoding': fc.constantFrom('identity', 'gzip', 'br', 'gzip, br', 'x'),
  'accept-language': fc.constantFrom('en', 'de', '*', 'x'.repeat(2_000), '-'),
  'content-encoding': fc.constantFrom('identity', 'gzip', 'x'),
  'if-none-match': fc.constantFrom('*', '"x"', 'W/"x"'),
  range: fc.constantFrom('bytes=0-1', 'bytes=-1', 'x'),
  referer: fc.constantFrom(
    'ORIGIN/login',
    'ORIGIN//evil.example/',
    'https://evil.example/',
    `ORIGIN/?<script>${MARK}`,
    '::',
  ),
  'user-agent': headerText,
  'x-sveltekit-action': fc.constantFrom('true', 'x'),
  'x-sveltekit-invalidated': fc.constantFrom('1', '101', 'x'),
  'x-forwarded-for': fc.constantFrom('127.0.0.1', '::1', 'x', `<script>${MARK}`),
  'x-forwarded-host': fc.constantFrom('evil.example', 'x'),
  'x-http-method-override': fc.constantFrom('DELETE', 'POST'),
  'sec-fetch-site': fc.constantFrom('cross-site', 'none', 'x'),
};

/** Usually a page, as a browser without scripts requests it. That is where input is reflected in HTML. */
export const accept = fc.oneof(
  { weight: 6, arbitrary: fc.constant<string | null>('text/html,application/xhtml+xml') },
  {
    weight: 4,
    arbitrary: fc.constantFrom(null, 'application/json', '*/*', '', 'text/html;q=x', `<script>${MARK}`),
  },
);

export const otherHeaders = fc
  .subarray(Object.keys(OTHER_HEADERS), { maxLength: 4 })
  .chain((names) =>
    fc.tuple(
      ...names.map((name) =>
        (OTHER_HEADERS[name] ?? fc.constant('')).map((value): [string, string] => [name, value]),
      ),
    ),
  );

export const origin = fc.oneof(
  { weight: 14, arbitrary: fc.constant<string | null>('ORIGIN') },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      null,
      null,
      'null',
      'https://evil.example',
      'ORIGIN.evil.example',
      'ORIGIN/',
      '',
    ),
  },
);
