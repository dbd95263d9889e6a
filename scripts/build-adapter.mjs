/**
 * `npm run build:adapter [-- FOLDER]`: builds the adapter (src/lib/server/kv-adapter) as a separate package in dist/adapter, and packs it
 * next to that folder. ESM and types are TypeScript's own output, file by file: the sources import each other as "./x.js". The entry
 * `./revocable` is the kit (src/lib/server/revocable), bundled into one file with the parts of the app that it uses (docs/decisions/0025).
 */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { command } from './lib/command.mjs';
import { exitOf, ROOT, runQuietly, start, StepFailed } from './lib/processes.mjs';

const usage = `Usage: npm run build:adapter [-- FOLDER]
Packs the KV adapter and the kit for revocable sessions as an npm package, into FOLDER (dist).`;

const NAME = 'pages-sessions-kv-adapter';
const KIT = join(ROOT, 'src/lib/server/revocable');

await command({ usage, operands: true, needs: 'packages' }, async (_, [folder = join(ROOT, 'dist')]) => {
  const dist = resolve(folder);
  const made = join(dist, 'adapter');
  rmSync(made, { recursive: true, force: true });
  mkdirSync(made, { recursive: true });
  await runQuietly('typescript', ['--project', 'tsconfig.adapter.json', '--outDir', made]);
  await buildKit(join(made, 'revocable'));
  cpSync(join(ROOT, 'src/lib/server/kv-adapter/README.md'), join(made, 'README.md'));
  // The kit's file contains one package.
  const licences = ['LICENSE', 'node_modules/sql-template-tag/LICENSE'].map((file) =>
    readFileSync(join(ROOT, file)),
  );
  writeFileSync(
    join(made, 'LICENSE'),
    licences.join('\n---\n\nrevocable/index.js contains sql-template-tag:\n\n'),
  );
  const { version, license } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const manifest = {
    name: NAME,
    version,
    description:
      'Sessions for Lucia v2 on Cloudflare: an adapter for Workers KV, and revoking at once with D1.',
    keywords: ['lucia', 'lucia-auth', 'session', 'cloudflare', 'workers-kv', 'd1'],
    license,
    type: 'module',
    sideEffects: false,
    exports: {
      '.': { types: './index.d.ts', default: './index.js' },
      './revocable': { types: './revocable/index.d.ts', default: './revocable/index.js' },
      './revocable/migration.sql': './revocable/migration.sql',
    },
    // For `moduleResolution: node10`, which does not read `exports`.
    types: './index.d.ts',
    files: ['*.js', '*.d.ts', 'revocable'],
    peerDependencies: { lucia: '^2.0.0' },
  };
  writeFileSync(join(made, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);

  // Uses the npm that runs this script, if there is one, so that no shell has to find it.
  const npm = process.env.npm_execpath;
  const [program, first] = npm ? [process.execPath, [npm]] : ['npm', []];
  const pack = ['pack', '--silent', '--ignore-scripts', '--pack-destination', dist];
  const code = await exitOf(
    start(program, [...first, ...pack], { cwd: made, stdio: ['ignore', 'ignore', 'inherit'] }),
  );
  if (code !== 0) throw new StepFailed(`"npm pack" ended with code ${code}.`);
  const tarball = join(dist, `${NAME}-${version}.tgz`);
  console.log(`Made ${relative('', tarball)}. In your own project: npm install ${tarball}`);
});

/**
 * Builds the kit: its code in one file, its types (which import nothing from the app), the migration and the README.
 *
 * @param {string} folder
 */
async function buildKit(folder) {
  const [{ build }, { default: typescript }] = await Promise.all([import('vite'), import('typescript')]);
  await build({
    configFile: false,
    root: ROOT,
    logLevel: 'error',
    resolve: { alias: { '$lib/badges': join(KIT, 'no-badges.ts'), $lib: join(ROOT, 'src/lib') } },
    ssr: { noExternal: true, external: ['lucia'] },
    build: {
      ssr: join(KIT, 'index.ts'),
      outDir: folder,
      target: 'es2024',
      minify: false,
      copyPublicDir: false,
    },
  });
  for (const name of ['index', 'types']) {
    const source = readFileSync(join(KIT, `${name}.ts`), 'utf8');
    const { outputText } = typescript.transpileDeclaration(source, {
      compilerOptions: { isolatedDeclarations: true, strict: true },
    });
    writeFileSync(join(folder, `${name}.d.ts`), outputText);
  }
  for (const name of ['migration.sql', 'README.md']) cpSync(join(KIT, name), join(folder, name));
}
