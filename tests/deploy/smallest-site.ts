import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { CloudflareApi } from './cloudflare-api';
import { Fork } from './fork';

/** Is well, and does nothing else. */
const WORKER = `export default { fetch: () => new Response('{"kv":"ok","d1":"ok"}') };`;

/**
 * For each test an account and a fork that deploys the smallest worker there is, so that no build is needed: for tests of what
 * `npm run deploy` asks and changes. rehearsal.spec.ts deploys the app.
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
