// headers.ts imports this file, so it is also bundled outside Vite: do not use $lib, $app or $env here.
import { errorPage } from '../../words/error';

type Refusal = { status: number; title?: string; detail?: string };

/**
 * A refusal in the format that the client expects: action JSON for a form sent by scripts (Kit's `use:enhance`), a page for a document, and
 * problem+json (RFC 9457) for the API and everything else.
 */
export function refuse(request: Request, { status, title, detail }: Refusal): Response {
  const words = errorPage.of(status);
  const heading = title ?? words.title;
  const text = detail ?? words.text;
  const isApi = isOfApi(request);
  if (!isApi && request.headers.get('x-sveltekit-action') === 'true') {
    return Response.json({ type: 'error', error: { message: text } }, { status });
  }
  if (!isApi && request.headers.get('accept')?.includes('text/html')) {
    return new Response(page(status, heading, text), {
      status,
      headers: { 'content-type': 'text/html; charset=utf-8' },
    });
  }
  return Response.json(
    { type: 'about:blank', title: heading, status, detail: text },
    { status, headers: { 'content-type': 'application/problem+json' } },
  );
}

/**
 * Passes a response through, with two exceptions that it rewrites by `refuse`: plain-text errors (Kit's, for an unknown method or URL), and
 * HTML errors for the API.
 */
export async function inForm(request: Request, response: Response): Promise<Response> {
  const { status, headers } = response;
  const type = headers.get('content-type') ?? 'text/plain';
  const isBare = type.startsWith('text/plain');
  if (status < 400 || !(isBare || (isOfApi(request) && type.startsWith('text/html')))) return response;
  const text = (await response.text()).trim();
  // Kit's text for a wrong method addresses developers.
  const detail = isBare && status !== 405 && text ? text : undefined;
  const answer = refuse(request, { status, ...(detail && { detail }) });
  headers.forEach((value, name) => {
    if (!['content-type', 'content-length', 'set-cookie', 'content-security-policy', 'link'].includes(name)) {
      answer.headers.set(name, value);
    }
  });
  for (const cookie of headers.getSetCookie()) answer.headers.append('set-cookie', cookie);
  return answer;
}

function isOfApi({ url }: Request): boolean {
  return new URL(url).pathname.startsWith('/api/');
}

/** Looks like src/error.html, with its own text. */
function page(status: number, title: string, text: string): string {
  const code = errorPage.code(status);
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <title>${code} · Pages Sessions</title>
    <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
    <link rel="stylesheet" href="/error.css" />
  </head>
  <body>
    <main>
      <p>${code}</p>
      <h1>${escaped(title)}</h1>
      <p>${escaped(text)}</p>
      <p><a href="/">${errorPage.home}</a></p>
    </main>
  </body>
</html>
`;
}

/** The text may contain parts of the request, such as its host. */
function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
