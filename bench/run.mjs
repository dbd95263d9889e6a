/**
 * `npm run bench [-- --quick | -- --visit]`: the app side by side with what people would use instead, and with the least that the
 * same store operations cost. Offline, but for the first time, when it installs bench/package.json.
 * bench/README.md says how to read it. Ends with one line that says what was met. With `--visit` it only counts, and writes the README's table.
 */
import { existsSync } from 'node:fs';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exitOf, main, ROOT, runQuietly, start, StepFailed } from '../scripts/lib/processes.mjs';
import { machineNow } from './lib/machine.mjs';
import { build, generateClient } from '../scripts/lib/steps.mjs';

const BENCH = join(ROOT, 'bench');
const PEER_SCHEMA = 'bench/prisma/schema.prisma';

await main(async () => {
  const before = machineNow();
  const quick = process.argv.includes('--quick');
  await install();
  await generateClient();
  if (process.env.SKIP_BUILD !== '1' && !process.argv.includes('--visit')) await build();
  await runQuietly('prisma', ['generate', '--no-hints', '--schema', PEER_SCHEMA]);
  // Only now: it needs what was just installed.
  const { measure, startContenders } = await import('./lib/results.mjs');
  const tables = {
    appTables: await appTables(),
    peerTables: await readFile(join(BENCH, 'prisma/tables.sql'), 'utf8'),
  };
  if (process.argv.includes('--visit')) {
    const { visitTable } = await import('./lib/visit.mjs');
    const bench = await startContenders(tables.appTables, tables.peerTables);
    await writeIntoReadme(await visitTable(bench));
    for (const { worker } of Object.values(bench)) await worker.miniflare.dispose();
    return;
  }
  const { text, missed, all } = await measure({ quick, before, ...tables });
  if (!quick) {
    await writeFile(join(BENCH, 'results.md'), text);
    console.log('Wrote bench/results.md.');
  }
  console.log(`bench: ${all - missed} of ${all} targets met${missed > 0 ? `, ${missed} missed` : ''}`);
});

/** The peers, by bench/package-lock.json. */
async function install() {
  if (existsSync(join(BENCH, 'node_modules/.package-lock.json'))) return;
  console.log('Installing what the app is measured against (bench/package.json) …');
  const npm = start('npm', ['ci', '--silent', '--ignore-scripts'], {
    cwd: BENCH,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32',
  });
  if ((await exitOf(npm)) !== 0)
    throw new StepFailed('[bench] "npm ci" in bench/ failed: it needs the registry once.');
}

async function appTables() {
  const folder = join(ROOT, 'prisma/migrations');
  const files = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  return (await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')))).join('\n');
}

/** Between the two marks. @param {string} table */
async function writeIntoReadme(table) {
  const file = join(ROOT, 'README.md');
  const readme = await readFile(file, 'utf8');
  const place = /(?<=<!-- visit -->\n)[^]*(?=\n<!-- \/visit -->)/;
  if (!place.test(readme)) throw new StepFailed('[bench] README.md has no <!-- visit --> … <!-- /visit -->.');
  await writeFile(
    file,
    readme.replace(place, () => `\n${table}\n`),
  );
  console.log('Wrote the table of a visit into README.md.');
}
