// Part of headers.ts, and so bundled outside Vite as well: nothing of $lib, $app or $env in here.
import { errorPage } from '../../words/error';

type Refusal = { status: number; title?: string; detail?: string };

/**
 * A refusal in the form that the client reads: the action's JSON for a form that scripts sent (Kit's `use:enhance`), a page for a document, and
 * problem+json (RFC 9457) for the API and for whatever else.
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

/** An answer as it is, but bare text that refuses (Kit's for a method or an address it does not know), and pages for the API, in that form. */
export async function inForm(request: Request, response: Response): Promise<Response> {
  const { status, headers } = response;
  const type = headers.get('content-type') ?? 'text/plain';
  const isBare = type.startsWith('text/plain');
  if (status < 400 || !(isBare || (isOfApi(request) && type.startsWith('text/html')))) return response;
  const text = (await response.text()).trim();
  // Kit's own words on a method are for developers.
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

/** As src/error.html, with words of its own. */
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

/** What a request says of itself (its host) may stand in the text. */
function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
