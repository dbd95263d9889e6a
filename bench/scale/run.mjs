/**
 * `npm run bench:scale [-- <part> …]`: measures what docs/scale.md says and writes that page anew. Each part leaves its figures in
 * bench/scale/results, and the page is made from what is there.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import prettier from 'prettier';
import { main, ROOT, StepFailed } from '../../scripts/lib/processes.mjs';
import { importTypeScript } from './typescript.mjs';

const RESULTS = join(ROOT, 'bench/scale/results');

/** @type {Record<string, () => Promise<unknown>>} */
const PARTS = {
  sizes: async () => (await importTypeScript('./sizes.ts')).sizes(),
  rows: async () => (await importTypeScript('./rows.ts')).rows(),
  visibility: async () => (await importTypeScript('./visibility.ts')).visibility(),
};

await main(async () => {
  const named = process.argv.slice(2);
  for (const name of named) {
    if (!(name in PARTS))
      throw new StepFailed(`There is no part "${name}": ${Object.keys(PARTS).join(', ')}.`);
  }
  for (const name of named.length > 0 ? named : Object.keys(PARTS)) {
    console.log(`${name} …`);
    const figures = await PARTS[name]?.();
    const at = new Date().toISOString().slice(0, 10);
    const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, Node ${process.versions.node}`;
    const text = JSON.stringify({ at, machine, figures });
    await writeFile(
      join(RESULTS, `${name}.json`),
      await prettier.format(text, {
        ...(await prettier.resolveConfig(join(ROOT, 'package.json'))),
        parser: 'json',
      }),
    );
  }
  const { missed } = await (await import('./page.mjs')).writePage(readResult);
  for (const line of missed) console.log(`missed: ${line}`);
  console.log(
    `bench:scale: docs/scale.md is written, ${missed.length === 0 ? 'every target met' : `${missed.length} missed`}`,
  );
  return missed.length > 0 ? 1 : 0;
});

/**
 * @param {string} name
 * @returns {Promise<any>}
 */
async function readResult(name) {
  return JSON.parse(await readFile(join(RESULTS, `${name}.json`), 'utf8'));
}
