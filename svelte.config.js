import { renameSync, writeFileSync } from 'node:fs';
import adapter from '@sveltejs/adapter-cloudflare';
import { vitePreprocess } from '@sveltejs/vite-plugin-svelte';

/** @type {import('@sveltejs/kit').Config} */
export default {
  preprocess: vitePreprocess(),
  compilerOptions: { runes: ({ filename }) => (filename.includes('node_modules') ? undefined : true) },
  kit: {
    // Excludes a separate project. The test of the packed adapter compiles it against the package.
    typescript: { config: ({ exclude }) => void exclude.push('../tests/package/consumer/**') },
    adapter: withHeadersOnEveryAnswer(
      // `vite dev` shares its local KV and D1 with `npm start`.
      adapter({ platformProxy: { persist: { path: '.wrangler/state/v3' } } }),
    ),
    // hooks.server.ts checks the origin of every unsafe request. Kit's own check covers only forms. It also responds before the hooks run,
    // and so without the security headers.
    csrf: { trustedOrigins: ['*'] },
    csp: {
      mode: 'auto',
      directives: {
        'default-src': ['self'],
        'script-src': ['self'],
        'style-src': ['self'],
        // Kit's route announcer has one inline style attribute. This is its hash.
        'style-src-attr': ['unsafe-hashes', 'sha256-S8qMpvofolR8Mpjy4kQvEm7m1q8clzU4dfDH0AmvZjo='],
        'img-src': ['self', 'data:'],
        'object-src': ['none'],
        'base-uri': ['self'],
        'form-action': ['self'],
        'frame-ancestors': ['none'],
      },
    },
  },
};

/**
 * Kit responds to some addresses before any hook runs (`/__route.js`, everything under `/_app`). So Pages runs a wrapper around Kit's
 * worker, which adds the security headers to those responses, too. The entry of wrangler.workers.toml is built beside it: the same worker
 * plus the cron, which Pages does not have.
 * @param {import('@sveltejs/kit').Adapter} kits
 * @returns {import('@sveltejs/kit').Adapter}
 */
function withHeadersOnEveryAnswer(kits) {
  return {
    ...kits,
    async adapt(builder) {
      await kits.adapt(builder);
      const entry = builder.getBuildDirectory('cloudflare/_worker.js');
      renameSync(entry, builder.getBuildDirectory('cloudflare-tmp/worker.js'));
      writeFileSync(
        entry,
        `import worker from '../cloudflare-tmp/worker.js';
import { withSecurityHeaders } from '../../src/lib/server/http/headers.ts';
export default withSecurityHeaders(worker);
`,
      );
      // Files in the folder that must not be served as static files. Pages knows this by itself.
      writeFileSync(builder.getBuildDirectory('cloudflare/.assetsignore'), '_worker.js\n_routes.json\n');
      writeFileSync(
        builder.getBuildDirectory('cloudflare-tmp/with-cron.js'),
        `import worker from '../cloudflare/_worker.js';
import { purge } from '../../src/lib/server/purge.ts';
export default { ...worker, scheduled: (_event, env, ctx) => ctx.waitUntil(purge(env)) };
`,
      );
    },
  };
}
