import * as fc from 'fast-check';
import type { AppRoute } from './app-routes';
import { bodyFor, bytesOf, type Body } from './fuzz-bodies';
import { accept, cookieHeader, origin, otherHeaders } from './fuzz-headers';
import { hostileText } from './fuzz-text';
import type { RawRequest } from './raw-request';

/** Values that the generator cannot know before the run. A request has their names in capitals. */
const PLACEHOLDERS = [
  'ORIGIN',
  'LIVE',
  'FRESH',
  'OWN_ID',
  'UNKNOWN_ID',
  'USER_ID',
  'CONFIRMED',
  'SWAPPED',
] as const;
type Placeholder = (typeof PLACEHOLDERS)[number];
export type Placeholders = Record<Placeholder, string>;

/** A request, in the form that fast-check prints if it fails. */
export type FuzzRequest = {
  route: string;
  action: string | null;
  method: string;
  path: string;
  headers: [name: string, value: string][];
  body: Body;
};

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

/** The suffixes of a page's data, of a route request (Kit answers it before any hook), and of a path that is no route. */
const suffixFor = (route: AppRoute) =>
  route.isPage
    ? fc.oneof(
        { weight: 8, arbitrary: fc.constant('') },
        { weight: 1, arbitrary: fc.constantFrom('/__data.json', '/__route.js', '/', '/x') },
      )
    : fc.oneof(
        { weight: 12, arbitrary: fc.constant('') },
        { weight: 1, arbitrary: fc.constantFrom('/', '/__data.json', '/__route.js') },
      );

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND'];
const REPLACING_ROUTES = ['/login', '/logout', '/signup'];

/** Generates a request to a route, or to one of its actions. */
function requestTo(route: AppRoute, action: string | null): fc.Arbitrary<FuzzRequest> {
  const usual = action !== null ? ['POST'] : route.isPage ? ['GET'] : route.methods;
  const method = fc.oneof(
    { weight: 7, arbitrary: fc.constantFrom(...usual) },
    { weight: 2, arbitrary: fc.constantFrom(...METHODS) },
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
      // Signing out ends the session of the request's cookie, and so does signing in.
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

/** Generates a request to any route or action of the app, all equally likely. */
export function anyRequest(routes: AppRoute[]): fc.Arbitrary<FuzzRequest> {
  return fc.oneof(
    ...routes.flatMap((route) => [
      requestTo(route, null),
      ...route.actions.map((action) => requestTo(route, action)),
    ]),
  );
}

const PLACEHOLDER = new RegExp(PLACEHOLDERS.join('|'), 'g');

/** Returns the bytes of a request, with the run's own values in it. */
export function toRaw({ method, path, headers, body }: FuzzRequest, values: Placeholders): RawRequest {
  const valueOf = new Map<string, string>(Object.entries(values));
  const fill = (text: string) => text.replace(PLACEHOLDER, (name) => valueOf.get(name) ?? name);
  return {
    method,
    path: fill(path),
    headers: headers.map(([name, value]) => [name, fill(value)]),
    ...(body.kind !== 'none' && { body: bytesOf(body, fill) }),
  };
}
