import { sveltekit } from '@sveltejs/kit/vite';
import { defineConfig, type Plugin } from 'vite';
import { mostUsed } from './src/lib/server/accounts/most-used-passwords.ts';

/** Puts only the part of the password list that the policy reads into the worker: 37 kB (gzip) instead of 215. */
const slimPasswordList: Plugin = {
  name: 'slim-password-list',
  transform: {
    order: 'pre',
    filter: { id: /language-common\/src\/passwords\.json$/ },
    handler: (code) => JSON.stringify(mostUsed(JSON.parse(code))),
  },
};

/**
 * SvelteKit's client imports all of `svelte` as one object and uses two of its functions. That keeps the whole object in the bundle,
 * including the lifecycle functions of Svelte 4. This plugin imports the functions by name, so that only what is used stays: 1 kB (gzip)
 * less on every page.
 */
const svelteByName: Plugin = {
  name: 'svelte-by-name',
  transform: {
    order: 'pre',
    filter: { id: /@sveltejs\/kit\/src\/runtime\/client\/client\.js$/ },
    handler: (code) =>
      code.replace('const { onMount, tick } = svelte;', "import { onMount, tick } from 'svelte';"),
  },
};

export default defineConfig({
  plugins: [sveltekit(), slimPasswordList, svelteByName],
  environments: {
    client: {
      build: {
        rolldownOptions: {
          output: {
            // Puts what every account page needs, including Kit's root component, into one file. That makes fewer and smaller downloads
            // than a file for each component.
            codeSplitting: {
              groups: [
                {
                  name: 'shared',
                  test: /node_modules(?!.*valibot)|generated.root|src.routes.\+(layout|error)|src.lib(?!.*(GuestCard|RequestDrawing|SessionEnded|send-form|post-form|load-again|row-motion|bring-to-reader|client.(look|question)|session-end|FormField|StepUpForm|[Pp]assword|visible-text|cost(-line)?.ts))/,
                },
                { name: 'moved-mark', test: /sessions.(MovedMark|MoveAnswerForm)/ },
              ],
            },
          },
        },
      },
    },
  },
});
