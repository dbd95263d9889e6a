import * as fc from 'fast-check';
import { hostileText, MARK } from './fuzz-text';

export type Body =
  | { kind: 'none' }
  | { kind: 'text'; text: string }
  | { kind: 'urlencoded'; fields: [string, string][] }
  | { kind: 'multipart'; fields: [string, string][]; file: string | null };

const BOUNDARY = 'fuzz-boundary';

const FIELDS: Record<string, string[]> = {
  '/login': ['username', 'password'],
  '/signup': ['username', 'password'],
  '/theme': ['theme'],
  '/sessions?/revoke': ['sessionId', 'password'],
  '/sessions?/rename': ['sessionId', 'name'],
  '/sessions?/revokeOthers': ['password'],
  '/sessions?/revokeSome': ['sessionId', 'password'],
  '/sessions?/revokeAll': ['password'],
  '/account?/changePassword': ['currentPassword', 'newPassword'],
  '/account?/deleteAccount': ['password'],
};
const FIELD_NAMES = [...new Set(Object.values(FIELDS).flat())];

/** Names that are sent again and again. The throttle soon refuses them, so that a run does not spend its time on hashing. */
const FEW_NAMES = ['fuzz-nobody', 'fuzz"nobody', `<script>${MARK}</script>`];

function valueFor(name: string, action: string): fc.Arbitrary<string> {
  if (name === 'username') {
    return fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom(...FEW_NAMES) },
      { weight: 3, arbitrary: hostileText },
    );
  }
  if (name === 'sessionId') {
    // Leaves out this session's own id where it would be ended, so that the run stays signed in.
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

/** Generates a body for a route or one of its actions, and its content type: usually the right one, if any. */
export function bodyFor(
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

/** Returns the bytes of a body. `fill` inserts the run's own values. */
export function bytesOf(body: Exclude<Body, { kind: 'none' }>, fill: (text: string) => string): string {
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
