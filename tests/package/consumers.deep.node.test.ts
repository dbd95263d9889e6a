/**
 * The kit's README is followed in two empty projects outside of this repository: a Worker with Hono, and a SvelteKit app from the official
 * command line's minimal template. Both sign in twice, end one session and put its KV record back, in workerd.
 */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Miniflare, convertV4MiniflareOptions } from 'miniflare';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { modulesIn } from '../../scripts/lib/worker-bundle.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CONSUMER = join(ROOT, 'tests/package/consumer');
const WRANGLER = join(ROOT, 'node_modules/wrangler/bin/wrangler.js');
const COMPATIBILITY_DATE = '2026-10-01';
const STEP_MILLISECONDS = 600_000;
const MINUTE = 60_000;

/** Users and keys, as Lucia's documentation of its D1 adapter has them. The ledger's tables go beside them. */
const USERS = `
  CREATE TABLE user (id TEXT NOT NULL PRIMARY KEY, username TEXT NOT NULL);
  CREATE TABLE user_key (id TEXT NOT NULL PRIMARY KEY, user_id TEXT NOT NULL, hashed_password TEXT);`;

/** A command; what it printed is in the error of one that failed. */
const run = (program: string, args: string[], options: { cwd: string }) =>
  promisify(execFile)(program, args, options).catch((error: Error & { stdout?: string }) => {
    throw new Error(`${error.message}\n${error.stdout}`);
  });

let home: string;
let tarball: string;
let blocks: { kind: string; path: string | undefined; text: string }[];

const npm = process.env.npm_execpath;
const [program, first] = npm ? [process.execPath, [npm]] : ['npm', []];
const inProject = (project: string) => ({
  npm: (...args: string[]) => run(program, [...first, ...args], { cwd: project }),
  install: (...packages: string[]) =>
    run(program, [...first, 'install', '--no-audit', '--no-fund', ...packages], { cwd: project }),
  wrangler: (...args: string[]) => run(process.execPath, [WRANGLER, ...args], { cwd: project }),
});

/** Writes the files that the README shows, and its part of the configuration. */
async function follow(project: string, paths: RegExp, configuration: string): Promise<void> {
  for (const { path, text } of blocks) {
    if (!path || !paths.test(path)) continue;
    await mkdir(dirname(join(project, path)), { recursive: true });
    await writeFile(join(project, path), text);
  }
  const toml = blocks.find(({ kind }) => kind === 'toml')?.text ?? '';
  await writeFile(
    join(project, 'wrangler.toml'),
    `name = "a-test"\ncompatibility_date = "${COMPATIBILITY_DATE}"\n${configuration}\n${toml}`,
  );
}

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'kit-consumers-'));
  await run(process.execPath, [join(ROOT, 'scripts/build-adapter.mjs'), home], { cwd: home });
  const names = await readdir(home);
  tarball = join(home, names.find((name) => name.endsWith('.tgz')) ?? '');
  const readme = await readFile(join(home, 'adapter/revocable/README.md'), 'utf8');
  blocks = [...readme.matchAll(/```(\w+)\n([^]*?)```/g)].map(([, kind = '', text = '']) => ({
    kind,
    path: /^\/\/ ([\w./-]+)/.exec(text)?.[1],
    text,
  }));
}, STEP_MILLISECONDS);

afterAll(() => rm(home, { recursive: true }));

/** The worker in `folder/bundle`, in workerd, with stores of its own and the kit's migration. */
async function serve(folder: string) {
  const modules = (await modulesIn(join(folder, 'bundle'))).map(({ path, contents }) => ({
    ...{ type: 'ESModule' as const, path },
    contents: contents.toString(),
  }));
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      modules: modules.filter(({ path }) => path.endsWith('.js')),
      kvNamespaces: ['SESSIONS'],
      d1Databases: ['DB'],
      bindings: { COOKIE_SECRET: 'a secret of the tests' },
      compatibilityDate: COMPATIBILITY_DATE,
      compatibilityFlags: ['nodejs_compat'],
    }),
  );
  const db = await miniflare.getD1Database('DB');
  const migration = join(folder, 'node_modules/pages-sessions-kv-adapter/revocable/migration.sql');
  const statements = `${USERS}\n${await readFile(migration, 'utf8')}`.split(';');
  for (const sql of statements.filter((text) => text.trim())) await db.prepare(sql).run();
  return { miniflare, kv: await miniflare.getKVNamespace('SESSIONS'), close: () => miniflare.dispose() };
}

type Served = Awaited<ReturnType<typeof serve>>;

function openBrowser({ miniflare }: Served, cookies = new Map<string, string>()) {
  async function send(path: string, form?: Record<string, string>) {
    const response = await miniflare.dispatchFetch(`https://shop.example${path}`, {
      redirect: 'manual',
      headers: {
        cookie: [...cookies].map((pair) => pair.join('=')).join('; '),
        origin: 'https://shop.example',
        accept: 'text/html',
        ...(form && { 'content-type': 'application/x-www-form-urlencoded' }),
      },
      ...(form && { method: 'POST', body: new URLSearchParams(form).toString() }),
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value) cookies.set(name, value);
      else cookies.delete(name);
    }
    const { status, headers } = response;
    return { status, location: headers.get('location'), body: await response.text() };
  }

  return {
    send,
    /** Another one with what this one has now. */
    copy: () => new Map(cookies),
    async sessions(): Promise<{ id: string; current: boolean }[]> {
      const { body } = await send('/sessions');
      return JSON.parse(/\{"sessions":.*\}/.exec(body)?.[0] ?? '').sessions;
    },
    greeting: async () => /Nobody|Not known yet|Hello, \w+/.exec((await send('/')).body)?.[0],
  };
}

/** What the kit promises, in whatever app. `end`: the path and the form that end a session. */
async function checkPromises(served: Served, end: (id: string) => [string, Record<string, string>]) {
  const [laptop, phone] = [openBrowser(served), openBrowser(served)];
  const ada = { username: 'ada', password: 'correct horse battery staple' };
  expect(await laptop.greeting()).toBe('Nobody');
  expect(await laptop.send('/sessions')).toMatchObject({ status: 303, location: '/login' });
  expect(await laptop.send('/signup', ada)).toMatchObject({ status: 303, location: '/sessions' });
  expect(await phone.send('/login', ada)).toMatchObject({ status: 303, location: '/sessions' });
  const id = (await phone.sessions()).find(({ current }) => current)?.id ?? '';
  expect((await laptop.sessions()).map((one) => one.current)).toEqual([true, false]);
  expect(await phone.greeting()).toBe('Hello, ada');

  const key = `session:${id}`;
  const record = await served.kv.getWithMetadata(key);
  expect(record.value).not.toBeNull();
  expect((await laptop.send(...end(id))).status).toBe(200);
  await expect.poll(() => served.kv.get(key)).toBeNull();
  await served.kv.put(key, record.value ?? '', { metadata: record.metadata });

  const cookies = phone.copy();
  const again = () => openBrowser(served, new Map(cookies));
  expect(await again().send('/sessions')).toMatchObject({ status: 303, location: '/login' });
  expect((await laptop.sessions()).map((one) => one.id)).not.toContain(id);
  await laptop.send('/clock', { milliseconds: String(MINUTE) });
  expect(await again().greeting()).toBe('Nobody');
  expect(await laptop.greeting()).toBe('Hello, ada');
}

describe('an empty project with the kit', { timeout: STEP_MILLISECONDS }, () => {
  it('the kit ends sessions at once in a Worker with Hono', async () => {
    const project = join(home, 'hono');
    const { npm, install, wrangler } = inProject(project);
    await cp(join(CONSUMER, 'hono'), project, { recursive: true });
    await cp(join(CONSUMER, 'tsconfig.json'), join(project, 'tsconfig.json'));
    await writeFile(join(project, 'package.json'), '{ "private": true, "type": "module" }');
    await follow(project, /sessions\.ts|lucia|src.index/, 'main = "src/test-worker.ts"');
    await install('hono@4', 'lucia@2', '@lucia-auth/adapter-sqlite@2', tarball);
    await install('--save-dev', 'typescript@6', '@cloudflare/workers-types@5');
    await npm('exec', '--', 'tsc', '--project', '.', '--skipLibCheck');
    await wrangler('deploy', '--dry-run', '--outdir', 'bundle');
    const served = await serve(project);
    try {
      await checkPromises(served, (id) => [`/sessions/${id}/end`, {}]);
    } finally {
      await served.close();
    }
  });

  it("the kit ends sessions at once in SvelteKit's minimal template", async () => {
    const project = join(home, 'sveltekit');
    const create = ['sv@0.17', 'create', 'sveltekit', '--template', 'minimal', '--types', 'ts'];
    await inProject(home).npm('exec', '--yes', '--', ...create, '--no-add-ons', '--no-install');
    const { npm, install, wrangler } = inProject(project);
    await cp(join(CONSUMER, 'sveltekit'), project, { recursive: true });
    await follow(
      project,
      /lib.server|lucia|hooks|app\.d/,
      'pages_build_output_dir = ".svelte-kit/cloudflare"',
    );
    const config = join(project, 'vite.config.ts');
    await writeFile(config, (await readFile(config, 'utf8')).replace('adapter-auto', 'adapter-cloudflare'));
    await install('lucia@2', '@lucia-auth/adapter-sqlite@2', tarball);
    await install('--save-dev', '@sveltejs/adapter-cloudflare@7', '@cloudflare/workers-types@5');
    await npm('run', 'build');
    await npm('run', 'check');
    const built = ['--build-output-directory', '.svelte-kit/cloudflare', '--outdir', 'bundle'];
    await wrangler('pages', 'functions', 'build', ...built);
    const served = await serve(project);
    try {
      await checkPromises(served, (id) => ['/sessions?/end', { id }]);
    } finally {
      await served.close();
    }
  });
});
