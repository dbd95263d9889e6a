import { json } from '@sveltejs/kit';

/** An error response in `application/problem+json` (RFC 9457). `more`: additional members. */
export function problem(
  status: number,
  title: string,
  detail: string,
  more: Record<string, unknown> = {},
): Response {
  return json(
    { type: 'about:blank', title, status, detail, ...more },
    { status, headers: { 'content-type': 'application/problem+json' } },
  );
}
