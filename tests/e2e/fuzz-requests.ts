import * as fc from 'fast-check';
import type { AppRoute } from './app-routes';
import type { RawRequest } from './raw-request';

/** What the generator cannot know before the run; a request names them in capitals. */
export type Placeholders = Record<'ORIGIN' | 'LIVE' | 'FRESH' | 'OWN_ID' | 'UNKNOWN_ID' | 'USER_ID', string>;

/** One request as fast-check prints it when it fails. */
export type FuzzRequest = {
  route: string;
  action: string | null;
  method: string;
  path: string;
  headers: [name: string, value: string][];
  body: Body;
};

type Body =
  | { kind: 'none' }
  | { kind: 'text'; text: string }
  | { kind: 'urlencoded'; fields: [string, string][] }
  | { kind: 'multipart'; fields: [string, string][]; file: string | null };

/** Comes back from no page as markup. */
export const MARK = 'fuzz7f3a';
const BOUNDARY = 'fuzz-boundary';

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

const hostileText = fc.oneof(
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

const FIELDS: Record<string, string[]> = {
  '/login': ['username', 'password'],
  '/signup': ['username', 'password'],
  '/theme': ['theme'],
  '/sessions?/revoke': ['sessionId', 'password'],
  '/sessions?/rename': ['sessionId', 'name'],
  '/sessions?/revokeOthers': ['password'],
  '/sessions?/revokeAll': ['password'],
  '/account?/changePassword': ['currentPassword', 'newPassword'],
  '/account?/deleteAccount': ['password'],
};
const FIELD_NAMES = [...new Set(Object.values(FIELDS).flat())];

/** Names that are sent over and over: the throttle soon refuses them, so that a run does not spend itself on hashing. */
const FEW_NAMES = ['fuzz-nobody', 'fuzz"nobody', `<script>${MARK}</script>`];

function valueFor(name: string, action: string): fc.Arbitrary<string> {
  if (name === 'username') {
    return fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom(...FEW_NAMES) },
      { weight: 3, arbitrary: hostileText },
    );
  }
  if (name === 'sessionId') {
    // Not this session's own id where that would end it: the run is to stay signed in.
    const ids = action === 'rename' ? ['OWN_ID', 'UNKNOWN_ID', 'USER_ID.x'] : ['UNKNOWN_ID', 'USER_ID.x'];
    return fc.oneof(fc.constantFrom(...ids), hostileText);
  }
  return hostileText;
}

function fieldsFor(route: string, action: string | null): fc.Arbitrary<[string, string][]> {
  const expected = FIELDS[action && action !== 'default' ? `${route}?/${action}` : route] ?? [];
  const asExpected = fc.tuple(
    ...expected.map((name) => valueFor(name, action ?? '').map((value): [string, string] => [name, value])),
  );
  const anyField = fc
    .oneof(fc.constantFrom(...FIELD_NAMES), hostileText)
    .chain((name) => fc.tuple(fc.constant(name), valueFor(name, action ?? '')));
  return fc.oneof(
    { weight: 5, arbitrary: asExpected },
    {
      weight: 2,
      arbitrary: fc
        .tuple(asExpected, fc.array(anyField, { maxLength: 3 }))
        .map(([own, more]) => [...own, ...more]),
    },
    { weight: 2, arbitrary: fc.array(anyField, { maxLength: 5 }) },
  );
}

function bodyFor(
  route: string,
  action: string | null,
): fc.Arbitrary<{ body: Body; contentType: string | null }> {
  const fields = fieldsFor(route, action);
  const rightType = (body: Body): string | null =>
    body.kind === 'urlencoded'
      ? 'application/x-www-form-urlencoded'
      : body.kind === 'multipart'
        ? `multipart/form-data; boundary=${BOUNDARY}`
        : null;
  const body: fc.Arbitrary<Body> = fc.oneof(
    { weight: 6, arbitrary: fields.map((list): Body => ({ kind: 'urlencoded', fields: list })) },
    {
      weight: 3,
      arbitrary: fc
        .tuple(fields, fc.option(fc.constantFrom(...FIELD_NAMES), { freq: 4 }))
        .map(([list, file]): Body => ({ kind: 'multipart', fields: list, file })),
    },
    { weight: 2, arbitrary: hostileText.map((text): Body => ({ kind: 'text', text })) },
    {
      weight: 1,
      arbitrary: fc
        .constantFrom('{}', '[]', '{"username":', '--fuzz-boundary')
        .map((text): Body => ({ kind: 'text', text })),
    },
    { weight: 1, arbitrary: fc.constant<Body>({ kind: 'none' }) },
  );
  const anyType = fc.constantFrom(
    null,
    '',
    'application/json',
    'text/plain',
    'text/plain;charset=UTF-16',
    'application/x-www-form-urlencoded; charset=latin1',
    'multipart/form-data',
    'multipart/form-data; boundary=',
    'multipart/form-data; boundary=other',
    'application/x-sveltekit-formdata',
    'image/png',
    ';;;',
    `text/html;<script>${MARK}</script>`,
  );
  return body.chain((made) =>
    fc
      .oneof({ weight: 7, arbitrary: fc.constant(rightType(made)) }, { weight: 3, arbitrary: anyType })
      .map((contentType) => ({ body: made, contentType })),
  );
}

/** Header values hold Latin-1 and no control characters: Node sends no others. */
const headerText = hostileText.map((text) => text.replace(/[^\t\x20-\x7e\x80-\xff]/g, '').slice(0, 8_192));

const cookieValue = fc.oneof(
  fc.constantFrom(
    'LIVE',
    'FRESH',
    'LIVE',
    'LIVELIVE',
    'OWN_ID',
    'UNKNOWN_ID',
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

const cookieHeader = fc.oneof(
  { weight: 5, arbitrary: fc.constant('session=LIVE') },
  { weight: 1, arbitrary: fc.constant('session=FRESH') },
  {
    weight: 3,
    arbitrary: fc
      .array(
        fc.tuple(
          fc.constantFrom(
            'session',
            'session',
            '__Host-session',
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

/** Mostly a page, as a browser without scripts asks for one: that is where what was sent comes back in HTML. */
const accept = fc.oneof(
  { weight: 6, arbitrary: fc.constant<string | null>('text/html,application/xhtml+xml') },
  {
    weight: 4,
    arbitrary: fc.constantFrom(null, 'application/json', '*/*', '', 'text/html;q=x', `<script>${MARK}`),
  },
);

const otherHeaders = fc
  .subarray(Object.keys(OTHER_HEADERS), { maxLength: 4 })
  .chain((names) =>
    fc.tuple(
      ...names.map((name) =>
        (OTHER_HEADERS[name] ?? fc.constant('')).map((value): [string, string] => [name, value]),
      ),
    ),
  );

const origin = fc.oneof(
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

const query = fc.oneof(
  { weight: 3, arbitrary: fc.constant<[string, string][]>([]) },
  {
    weight: 3,
    arbitrary: fc.array(
      fc.tuple(
        fc.oneof(
          fc.constantFrom(
            'redirectTo',
            'before',
            'notice',
            'x-sveltekit-invalidated',
            'x-sveltekit-trailing-slash',
          ),
          hostileText.map((text) => text.slice(0, 1_000)),
        ),
        fc.oneof(
          fc.constantFrom(
            '/..//evil.example',
            '//evil.example',
            '/\\evil.example',
            'https://evil.example',
            '/account',
          ),
          hostileText.map((text) => text.slice(0, 1_000)),
        ),
      ),
      { minLength: 1, maxLength: 2 },
    ),
  },
);

const wrongAction = fc.oneof(
  fc.constantFrom('default', '__proto__', 'constructor', 'toString', 'valueOf', 'hasOwnProperty', '', 'nope'),
  hostileText.map((text) => text.slice(0, 200)),
);

const parameter = fc.oneof(
  fc.constantFrom('UNKNOWN_ID', 'USER_ID.x', 'x', '..', '%2e%2e', '%00', '%ff', 'a%2Fb'),
  hostileText.map((text) => encodeURIComponent(text.slice(0, 1_000)) || 'x'),
);

/** Where a page's data and a path that is no route are asked for. */
const suffixFor = (route: AppRoute) =>
  route.isPage
    ? fc.oneof(
        { weight: 8, arbitrary: fc.constant('') },
        { weight: 1, arbitrary: fc.constantFrom('/__data.json', '/', '/x') },
      )
    : fc.oneof(
        { weight: 12, arbitrary: fc.constant('') },
        { weight: 1, arbitrary: fc.constantFrom('/', '/__data.json') },
      );

const REPLACING_ROUTES = ['/login', '/logout', '/signup'];

/** A request to one route, or to one action of it. */
function requestTo(route: AppRoute, action: string | null): fc.Arbitrary<FuzzRequest> {
  const usual = action !== null ? ['POST'] : route.isPage ? ['GET'] : route.methods;
  const method = fc.oneof(
    { weight: 7, arbitrary: fc.constantFrom(...usual) },
    { weight: 2, arbitrary: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS') },
  );
  const named =
    action !== null && action !== 'default'
      ? fc.oneof(
          { weight: 9, arbitrary: fc.constant<string | null>(action) },
          { weight: 1, arbitrary: wrongAction },
        )
      : fc.oneof(
          { weight: 12, arbitrary: fc.constant<string | null>(null) },
          { weight: 1, arbitrary: wrongAction },
        );
  return fc
    .record({
      method,
      named,
      query,
      origin,
      accept,
      parameter,
      suffix: action === null ? suffixFor(route) : fc.constant(''),
      cookie: fc.option(cookieHeader, { freq: 6, nil: null }),
      others: otherHeaders,
      sent: bodyFor(route.path, action),
    })
    .map(({ method, named, query, origin, accept, parameter, suffix, cookie, others, sent }) => {
      // Signing out ends the session of the cookie that is sent, and so does signing in.
      const cookies = REPLACING_ROUTES.includes(route.path)
        ? (cookie?.replaceAll('LIVE', 'FRESH') ?? null)
        : cookie;
      const search = query.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
      const parameters = [...(named === null ? [] : [`/${encodeURIComponent(named)}`]), ...search];
      const base = route.path.replace(/\[[^\]]+\]/, parameter);
      const path =
        (base === '/' && suffix ? suffix : base + suffix) +
        (parameters.length ? `?${parameters.join('&')}` : '');
      const headers: [string, string][] = [...others];
      if (accept !== null) headers.push(['accept', accept]);
      if (origin !== null) headers.push(['origin', origin]);
      if (cookies !== null) headers.push(['cookie', cookies]);
      const hasBody = !['GET', 'HEAD'].includes(method);
      if (hasBody && sent.contentType !== null) headers.push(['content-type', sent.contentType]);
      const body: Body = hasBody ? sent.body : { kind: 'none' };
      return { route: route.path, action, method, path, headers, body };
    });
}

/** A request to any route or action of the app, each as likely as every other. */
export function anyRequest(routes: AppRoute[]): fc.Arbitrary<FuzzRequest> {
  return fc.oneof(
    ...routes.flatMap((route) => [
      requestTo(route, null),
      ...route.actions.map((action) => requestTo(route, action)),
    ]),
  );
}

/** The bytes of a request, with the run's own values in it. */
export function toRaw({ method, path, headers, body }: FuzzRequest, values: Placeholders): RawRequest {
  const fill = (text: string) =>
    Object.entries(values).reduce((filled, [name, value]) => filled.replaceAll(name, value), text);
  return {
    method,
    path: fill(path),
    headers: headers.map(([name, value]) => [name, fill(value)]),
    ...(body.kind !== 'none' && { body: bytesOf(body, fill) }),
  };
}

function bytesOf(body: Exclude<Body, { kind: 'none' }>, fill: (text: string) => string): string {
  if (body.kind === 'text') return body.text;
  const fields = body.fields.map(([name, value]): [string, string] => [name, fill(value)]);
  if (body.kind === 'urlencoded') return new URLSearchParams(fields).toString();
  const parts = fields.map(([name, value]) => part(`name="${name.replace(/["\r\n]/g, '')}"`, value));
  if (body.file) parts.push(part(`name="${body.file}"; filename="<script>${MARK}</script>.txt"`, MARK));
  return `${parts.join('')}--${BOUNDARY}--\r\n`;
}

function part(disposition: string, value: string): string {
  return `--${BOUNDARY}\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n${value}\r\n`;
}
