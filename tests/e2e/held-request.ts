import { request as httpRequest } from 'node:http';
import { text } from 'node:stream/consumers';

export type HeldAnswer = { status: number; location: string | undefined; body: string };

/** A request whose headers are sent now and whose body only when `finish` is called. */
export type HeldRequest = { finish: () => Promise<HeldAnswer> };

export type HeldOptions = {
  origin: string;
  method?: 'POST' | 'DELETE';
  path: string;
  cookie: string;
  form: Record<string, string>;
  /** Sent as by a page with scripts: the response is the action's JSON. */
  enhanced?: boolean;
};

/** Sends the headers of a form. `cookie` is the whole header. */
export function hold({
  origin,
  method = 'POST',
  path,
  cookie,
  form,
  enhanced = false,
}: HeldOptions): HeldRequest {
  const body = new URLSearchParams(form).toString();
  const request = httpRequest(new URL(path, origin), {
    method,
    agent: false,
    headers: {
      origin,
      cookie,
      accept: enhanced ? 'application/json' : 'text/html',
      ...(enhanced && { 'x-sveltekit-action': 'true' }),
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': Buffer.byteLength(body),
    },
  });
  const answer = new Promise<HeldAnswer>((resolve, reject) => {
    request.on('error', reject);
    request.on('response', (response) => {
      const { statusCode = 0, headers } = response;
      text(response).then(
        (body) => resolve({ status: statusCode, location: headers.location, body }),
        reject,
      );
    });
  });
  // Nothing handles the response until `finish` is called.
  answer.catch(() => undefined);
  request.flushHeaders();
  return {
    finish: () => {
      request.end(body);
      return answer;
    },
  };
}
