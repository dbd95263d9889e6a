import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { requireHealthy } from '../../scripts/deploy/live.mjs';

type Answer = [status: number, body: string, type?: string];

let server: Server;
let asked = 0;

/** Starts a site whose /healthz gives these responses, one after the other. */
async function siteAnswering(...answers: Answer[]): Promise<string> {
  asked = 0;
  server = createServer((request, response) => {
    const [status, body, type = 'text/plain'] = answers[Math.min(asked++, answers.length - 1)]!;
    response.writeHead(request.url === '/healthz' ? status : 404, { 'content-type': type }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

afterEach(() => server.close());

it('the check waits while Cloudflare itself answers for a host that is not ready', async () => {
  const site = await siteAnswering([522, 'error code: 522'], [200, '{"kv":"ok","d1":"ok"}']);
  await requireHealthy(site, 'tail');
  expect(asked).toBe(2);
});

it.each<[string, Answer, string]>([
  ['a store that is down', [503, '{"kv":"ok","d1":"down"}'], 'look at the store that is down'],
  [
    'a binding that is missing',
    [503, '{"status":503,"detail":"[bindings] the KV namespace …"}', 'application/problem+json'],
    'mend wrangler.toml as it says',
  ],
  ['a sign-in before the app', [302, ''], 'let /healthz through'],
])('the check reports %s at once', async (_, answer, mend) => {
  const site = await siteAnswering(answer);
  await expect(requireHealthy(site, 'tail')).rejects.toThrow(mend);
  expect(asked).toBe(1);
});
