/** The adapter as `npm run build:adapter` packs it, in a project outside this repository that contains nothing else of it. */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Miniflare, convertV4MiniflareOptions } from 'miniflare';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CONSUMER = fileURLToPath(new URL('consumer', import.meta.url));
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc');
const PACKAGE = 'pages-sessions-kv-adapter';
/** Compiling and installing take seconds, or longer on a busy machine. */
const STEP_MILLISECONDS = 120_000;

const run = promisify(execFile);

/** The consumer's project. It has the tarball, and from this repository's packages the peer dependency and the Workers types. */
let project: string;
const installed = (path: string) => join(project, 'node_modules', PACKAGE, path);

async function install(folder: string, packages: string[]) {
  const npm = process.env.npm_execpath;
  const [command, first] = npm ? [process.execPath, [npm]] : ['npm', []];
  const quiet = ['--no-audit', '--no-fund', '--no-package-lock', '--ignore-scripts'];
  // Nothing comes from a registry. --install-links copies the folders as if they had been packed.
  await run(command, [...first, 'install', '--offline', '--install-links', ...quiet, ...packages], {
    cwd: folder,
  });
}

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'adapter-package-'));
  // The folders in it are for consumers.deep.node.test.ts.
  await cp(CONSUMER, project, { recursive: true, filter: (path) => !/[\\/](hono|sveltekit)$/.test(path) });
  await writeFile(join(project, 'package.json'), '{ "private": true, "type": "module" }');
  const dist = join(project, 'dist');
  await run(process.execPath, [join(ROOT, 'scripts/build-adapter.mjs'), dist], { cwd: project });
  const tarballs = (await readdir(dist)).filter((name) => name.endsWith('.tgz'));
  const fromHere = ['lucia', '@cloudflare/workers-types'].map((name) => join(ROOT, 'node_modules', name));
  await install(project, [...tarballs.map((name) => join(dist, name)), ...fromHere]);
  await symlink(join(ROOT, 'node_modules/@miniflare'), join(project, 'node_modules/@miniflare'));
}, STEP_MILLISECONDS);

afterAll(() => rm(project, { recursive: true }));

describe('the packed adapter', { timeout: STEP_MILLISECONDS }, () => {
  it('the packed adapter has each module with its types, a README and a licence, and no dependency but Lucia 2', async () => {
    const sources = (await readdir(join(ROOT, 'src/lib/server/kv-adapter')))
      .filter((name) => name.endsWith('.ts'))
      .map((name) => name.slice(0, -'.ts'.length));
    const modules = sources.flatMap((name) => [`${name}.js`, `${name}.d.ts`]);
    expect(sources.length).toBeGreaterThan(5);
    expect((await readdir(installed('.'))).sort()).toEqual(
      [...modules, 'LICENSE', 'README.md', 'package.json', 'revocable'].sort(),
    );
    const manifest: unknown = JSON.parse(await readFile(installed('package.json'), 'utf8'));
    expect(manifest).toMatchObject({ type: 'module', license: 'MIT', peerDependencies: { lucia: '^2.0.0' } });
    expect(manifest).not.toHaveProperty('dependencies');
  });

  it('the packed adapter has the kit in one file, with its types, its migration and a README, and nothing of SvelteKit or accounts in it', async () => {
    const files = ['README.md', 'index.d.ts', 'index.js', 'migration.sql', 'types.d.ts'];
    expect((await readdir(installed('revocable'))).sort()).toEqual(files);
    const code = await readFile(installed('revocable/index.js'), 'utf8');
    const imports = [...code.matchAll(/^import .* from "(.+)";$/gm)].map(([, from = '']) => from);
    expect(imports).toContain('lucia');
    expect(imports.filter((from) => from !== 'lucia' && !from.startsWith('node:'))).toEqual([]);
    expect(code).not.toMatch(/svelte|scrypt|prisma|This device/i);
    for (const name of ['index.d.ts', 'types.d.ts']) {
      const types = await readFile(installed(`revocable/${name}`), 'utf8');
      expect(types.replace(/ from '(lucia|\.\/types\.js)';/g, '')).not.toMatch(/ from '/);
    }
  });

  it.each(['', 'revocable/'])(
    'the API section of the %sREADME names everything that the package exports',
    async (folder) => {
      const readme = await readFile(installed(`${folder}README.md`), 'utf8');
      const [, api = ''] = /\n## API\n([^]*?)\n## /.exec(readme) ?? [];
      const index = await readFile(installed(`${folder}index.d.ts`), 'utf8');
      const types = folder && (await readFile(installed(`${folder}types.d.ts`), 'utf8'));
      const listed = [...index.matchAll(/^export .*\{ ([^}]+) \}/gm)].flatMap(([, list = '']) =>
        list.split(', '),
      );
      const declared = [...`${index}${types}`.matchAll(/^export (?:declare )?(?:\w+) (\w+)/gm)].map(
        ([, name]) => name,
      );
      const names = [...listed.map((name) => name.split(' as ').at(-1)), ...declared];
      expect(names).toContain(folder ? 'revocableSessions' : 'cloudflareKvBinding');
      expect(names.filter((name) => !name || !api.includes(name))).toEqual([]);
    },
  );

  it('the packed adapter has the public API of api.ts and revocable-api.ts under strict, as bundlers and Node resolve modules', async () => {
    const compile = (...options: string[]) =>
      run(process.execPath, [TSC, '--project', '.', ...options], { cwd: project }).then(
        () => '',
        (error: { stdout: string }) => error.stdout,
      );
    const errors = await Promise.all([
      compile('--skipLibCheck'),
      compile('--module', 'nodenext', '--moduleResolution', 'nodenext'),
    ]);
    expect(errors).toEqual(['', '']);
  });

  it.each([
    ['', 'cloudflareKvBinding default sessionOwner'],
    ['/revocable', 'ProofNeeded SessionEnded StoreUnavailable forgetUser migration revocableSessions'],
  ])('the packed adapter loads in Node without a bundler: "%s"', async (entry, names) => {
    const load = `import('${PACKAGE}${entry}').then((api) => console.log(Object.keys(api).join(' ')))`;
    const { stdout } = await run(process.execPath, ['--eval', load], { cwd: project });
    expect(stdout).toBe(`${names}\n`);
  });

  it('the packed adapter works as Lucia documents it for adapters', async () => {
    const { stdout } = await run(process.execPath, ['documented.mjs'], { cwd: project });
    expect(stdout).toBe('ada\nada\nmy_session:one my_user_sessions:ada session:one user_sessions:ada\n');
  });

  it.each(['index', 'owner'])(
    'the packed adapter signs up, in and out in workerd on the %s layout',
    async (layout) => {
      const worker = await openWorker(layout);
      try {
        const ada = 'name=ada&password=correct horse battery staple';
        const laptop = await worker.send(`/signup?${ada}`);
        const phone = await worker.send(`/login?${ada}`);
        expect([laptop.status, phone.status]).toEqual([204, 204]);
        expect((await worker.send('/login?name=ada&password=wrong')).status).toBe(400);
        const seen = await worker.send('/', phone.cookie);
        expect({ status: seen.status, body: JSON.parse(seen.body) }).toEqual({
          status: 200,
          body: { username: 'ada', device: 'a test', sessions: 2, ownerInId: layout === 'owner' },
        });
        expect((await worker.send('/logout', phone.cookie)).status).toBe(204);
        expect((await worker.send('/', phone.cookie)).status).toBe(401);
        expect(JSON.parse((await worker.send('/', laptop.cookie)).body)).toMatchObject({ sessions: 1 });
        expect(await worker.prefixes()).toEqual(
          layout === 'owner' ? ['session'] : ['session', 'user_sessions'],
        );
      } finally {
        await worker.close();
      }
    },
  );
});

/** The consumer's worker, bundled as Vite does it and run in workerd. */
async function openWorker(layout: string) {
  const outDir = join(project, 'bundle');
  await build({
    root: project,
    configFile: false,
    logLevel: 'error',
    ssr: { noExternal: true, target: 'webworker' },
    build: { ssr: 'worker.ts', outDir, emptyOutDir: true },
  });
  const contents = await readFile(join(outDir, 'worker.js'), 'utf8');
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      modules: [{ type: 'ESModule', path: 'worker.js', contents }],
      kvNamespaces: ['SESSIONS'],
      bindings: { LAYOUT: layout },
      compatibilityDate: '2026-10-01',
    }),
  );
  return {
    async send(path: string, cookie?: string) {
      const response = await miniflare.dispatchFetch(`http://localhost${path}`, {
        headers: cookie ? { cookie } : {},
      });
      return {
        status: response.status,
        cookie: response.headers.get('set-cookie')?.split(';')[0],
        body: await response.text(),
      };
    },
    async prefixes() {
      const { keys } = await (await miniflare.getKVNamespace('SESSIONS')).list();
      return [...new Set(keys.map(({ name }) => name.split(':')[0]))];
    },
    close: () => miniflare.dispose(),
  };
}
