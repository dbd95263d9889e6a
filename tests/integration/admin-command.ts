/** Runs `npm run admin` for its tests: the script, the stores that it works on, and Cloudflare's API on loopback. */
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { getPlatformProxy } from 'wrangler';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Each wrangler command takes seconds to start. */
export const TEST_MILLISECONDS = 90_000;

export type Outcome = { code: number | null; out: string; error: string };

/** Runs the script as `npm run admin --` does. */
export async function admin(args: string[], env: Record<string, string> = {}): Promise<Outcome> {
  const child = spawn(process.execPath, ['scripts/admin.mjs', ...args], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [out, error, code] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
  return { code, out, error };
}

/** Opens the stores in a state folder as wrangler does, while `use` runs. */
export async function withStores<T>(folder: string, use: (stores: Cloudflare.Env) => Promise<T>): Promise<T> {
  const { env, dispose } = await getPlatformProxy<Cloudflare.Env>({
    configPath: join(ROOT, 'wrangler.toml'),
    persist: { path: join(folder, 'v3') },
  });
  try {
    return await use(env);
  } finally {
    await dispose();
  }
}

/**
 * Runs the script against an API that answers each call with `answerTo`.
 * @returns the outcome, and the calls as "METHOD /path body"
 */
export async function adminRemote(
  args: string[],
  answerTo: (path: string, body: string) => unknown,
): Promise<{ outcome: Outcome; calls: string[] }> {
  const calls: string[] = [];
  const api = createServer((request, response) => {
    void text(request).then((body) => {
      calls.push(`${request.method} ${request.url} ${body}`.trim());
      response.setHeader('content-type', 'application/json');
      const result = answerTo(request.url ?? '', body);
      response.end(JSON.stringify({ success: true, errors: [], messages: [], result }));
    });
  });
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
  const address = api.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  try {
    const outcome = await admin(args, {
      CLOUDFLARE_API_BASE_URL: `http://127.0.0.1:${address.port}`,
      CLOUDFLARE_API_TOKEN: 'a-token',
      CLOUDFLARE_ACCOUNT_ID: 'account',
    });
    return { outcome, calls };
  } finally {
    await new Promise((resolve) => api.close(resolve));
  }
}
