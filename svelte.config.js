import adapter from '@sveltejs/adapter-cloudflare';
import { vitePreprocess } from '@sveltejs/vite-plugin-svelte';

/** @type {import('@sveltejs/kit').Config} */
export default {
  preprocess: vitePreprocess(),
  compilerOptions: { runes: ({ filename }) => (filename.includes('node_modules') ? undefined : true) },
  kit: {
    // A project of its own, which the test of the packed adapter compiles against the package.
    typescript: { config: ({ exclude }) => void exclude.push('../tests/package/consumer/**') },
    adapter: adapter({
      // All of /_app, not only `<build>`: what is not there is then a 404 of Pages, with the headers of `_headers`, and not
      // one of Kit's own, which come before the hooks and carry none.
      routes: { include: ['/*'], exclude: ['/_app/*', '<files>'] },
      // `vite dev` shares its local KV and D1 with `npm start`.
      platformProxy: { persist: { path: '.wrangler/state/v3' } },
    }),
    // hooks.server.ts checks the origin of every unsafe request; Kit's own check looks at forms alone, and answers before
    // the hooks, so without the security headers.
    csrf: { trustedOrigins: ['*'] },
    csp: {
      mode: 'auto',
      directives: {
        'default-src': ['self'],
        'script-src': ['self'],
        'style-src': ['self'],
        // Kit's route announcer carries one inline style attribute; this is its hash.
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
