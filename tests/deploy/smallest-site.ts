import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { CloudflareApi } from './cloudflare-api';
import { Fork } from './fork';

/** A worker that reports that it is healthy and does nothing else. */
const WORKER = `export default { fetch: () => new Response('{"kv":"ok","d1":"ok"}') };`;

/**
 * Creates an account and a fork for each test. The fork deploys the smallest possible worker, so no build is needed. For tests of the calls
 * and changes of `npm run deploy`; rehearsal.spec.ts deploys the app.
 */
export function smallestSite(): { api: CloudflareApi; fork: Fork } {
  let api: CloudflareApi;
  let fork: Fork;
  beforeEach(async () => {
    api = await CloudflareApi.start();
    fork = new Fork();
    mkdirSync(join(fork.folder, '.svelte-kit/cloudflare'), { recursive: true });
    fork.write('.svelte-kit/cloudflare/_worker.js', WORKER);
  });
  afterEach(async () => {
    await api.stop();
    fork.remove();
  });
  return {
    get api() {
      return api;
    },
    get fork() {
      return fork;
    },
  };
}
