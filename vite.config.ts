import { sveltekit } from '@sveltejs/kit/vite';
import { defineConfig, type Plugin } from 'vite';
import { mostUsed } from './src/lib/server/accounts/most-used-passwords.ts';

/** Of the list of passwords the worker carries the part that the policy reads: 37 kB (gzip) instead of 215. */
const slimPasswordList: Plugin = {
  name: 'slim-password-list',
  transform: {
    order: 'pre',
    filter: { id: /language-common\/src\/passwords\.json$/ },
    handler: (code) => JSON.stringify(mostUsed(JSON.parse(code))),
  },
};

export default defineConfig({
  plugins: [sveltekit(), slimPasswordList],
  environments: {
    client: {
      build: {
        rolldownOptions: {
          output: {
            // What every account page needs, Kit's root component too, goes into one file: fewer and smaller downloads than
            // one for each component.
            codeSplitting: {
              groups: [
                {
                  name: 'shared',
                  test: /node_modules(?!.*valibot)|generated.root|src.routes.\+(layout|error)|src.lib(?!.*(GuestCard|RequestDrawing|[Pp]assword-?[Ss]trength))/,
                },
              ],
            },
          },
        },
      },
    },
  },
});
