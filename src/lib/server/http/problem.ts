import { json } from '@sveltejs/kit';

/** An error answer in `application/problem+json` (RFC 9457). */
export function problem(status: number, title: string, detail: string): Response {
  return json(
    { type: 'about:blank', title, status, detail },
    { status, headers: { 'content-type': 'application/problem+json' } },
  );
}
