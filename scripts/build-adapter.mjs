/**
 * `npm run build:adapter [-- FOLDER]`: the adapter (src/lib/server/kv-adapter) as a package of its own, in dist/adapter
 * and packed beside it. ESM and types are TypeScript's own output, file by file: the sources import each other as "./x.js".
 */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { toolEnvironment } from './lib/environment.mjs';
import { exitOf, main, ROOT, runQuietly, start, StepFailed } from './lib/processes.mjs';

const [folder] = process.argv.slice(2);
if (folder?.startsWith('-')) {
  console.error(
    'Usage: npm run build:adapter [-- FOLDER]   (FOLDER: where the package goes; dist without it)',
  );
  process.exit(folder === '--help' || folder === '-h' ? 0 : 2);
}

const SOURCES = join(ROOT, 'src/lib/server/kv-adapter');
const DIST = resolve(folder ?? join(ROOT, 'dist'));
const PACKAGE = join(DIST, 'adapter');

const NAME = 'pages-sessions-kv-adapter';

await main(async () => {
  rmSync(PACKAGE, { recursive: true, force: true });
  mkdirSync(PACKAGE, { recursive: true });
  const compile = ['--project', 'tsconfig.adapter.json', '--outDir', PACKAGE];
  await runQuietly('typescript', compile, toolEnvironment());
  cpSync(join(SOURCES, 'README.md'), join(PACKAGE, 'README.md'));
  cpSync(join(ROOT, 'LICENSE'), join(PACKAGE, 'LICENSE'));
  const manifest = manifestOf(readJson('package.json'));
  writeFileSync(join(PACKAGE, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  await pack();
  const tarball = join(DIST, `${NAME}-${manifest.version}.tgz`);
  console.log(`Made ${relative('', tarball)}. In your own project: npm install ${tarball}`);
});

/** @param {string} path */
function readJson(path) {
  return JSON.parse(readFileSync(join(ROOT, path), 'utf8'));
}

/** @param {{ version: string, license: string }} app package.json of the app */
function manifestOf({ version, license }) {
  return {
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
}

/** `npm pack`, by the npm that runs this script where there is one: then no shell has to find it. */
async function pack() {
  const npm = process.env.npm_execpath;
  const [command, first] = npm ? [process.execPath, [npm]] : ['npm', []];
  const args = [...first, 'pack', '--silent', '--ignore-scripts', '--pack-destination', DIST];
  const child = start(command, args, { cwd: PACKAGE, stdio: ['ignore', 'ignore', 'inherit'] });
  const code = await exitOf(child);
  if (code !== 0) throw new StepFailed(`"npm pack" ended with code ${code}.`);
}
