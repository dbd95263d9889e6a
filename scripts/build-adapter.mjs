/**
 * `npm run build:adapter [-- FOLDER]`: the adapter (src/lib/server/kv-adapter) as a package of its own, in dist/adapter
 * and packed beside it. ESM and types are TypeScript's own output, file by file: the sources import each other as "./x.js".
 */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { command } from './lib/command.mjs';
import { exitOf, ROOT, runQuietly, start, StepFailed } from './lib/processes.mjs';

const usage = `Usage: npm run build:adapter [-- FOLDER]
Packs the KV adapter as an npm package, into FOLDER (dist).`;

const NAME = 'pages-sessions-kv-adapter';

await command({ usage, operands: true, needs: 'packages' }, async (_, [folder = join(ROOT, 'dist')]) => {
  const dist = resolve(folder);
  const made = join(dist, 'adapter');
  rmSync(made, { recursive: true, force: true });
  mkdirSync(made, { recursive: true });
  await runQuietly('typescript', ['--project', 'tsconfig.adapter.json', '--outDir', made]);
  cpSync(join(ROOT, 'src/lib/server/kv-adapter/README.md'), join(made, 'README.md'));
  cpSync(join(ROOT, 'LICENSE'), join(made, 'LICENSE'));
  const { version, license } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const manifest = {
    name: NAME,
    version,
    description: 'A session adapter for Lucia v2 on Cloudflare Workers KV.',
    keywords: ['lucia', 'lucia-auth', 'session', 'cloudflare', 'workers-kv'],
    license,
    type: 'module',
    sideEffects: false,
    exports: { '.': { types: './index.d.ts', default: './index.js' } },
    // For `moduleResolution: node10`, which does not read `exports`.
    types: './index.d.ts',
    files: ['*.js', '*.d.ts'],
    peerDependencies: { lucia: '^2.0.0' },
  };
  writeFileSync(join(made, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);

  // By the npm that runs this script where there is one: then no shell has to find it.
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
