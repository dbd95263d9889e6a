/** `npm run doctor`: each thing broken once in a folder made for it, and the line that says so. */
import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkConfig } from '../../scripts/doctor/config.mjs';
import type { Finding } from '../../scripts/doctor/finding.mjs';
import { checkModules, checkNode, checkScriptNode } from '../../scripts/doctor/install.mjs';
import { checkBuild, checkClient, checkDatabase, checkSecrets } from '../../scripts/doctor/local-state.mjs';
import { checkBrowser, checkPorts } from '../../scripts/doctor/machine.mjs';
import { migrate, STATE_FOLDER } from '../../scripts/lib/steps.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TEST_MILLISECONDS = 90_000;

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'doctor-'));
});
afterEach(() => rm(root, { recursive: true }));

const here = (env: NodeJS.ProcessEnv = {}) => ({ root, env });

/** Writes files into the folder of the test. */
async function write(files: Record<string, string | object>) {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), typeof content === 'string' ? content : JSON.stringify(content));
  }
}

async function doctor(folder: string, env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, ['scripts/doctor.mjs'], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [out, error, code] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
  return { code, error, lines: out.split('\n') };
}

/** Listens on a port that was free. */
async function takePort() {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { port: address.port, close: () => new Promise((resolve) => server.close(resolve)) };
}

const only = (findings: Finding[]) => {
  expect(findings).toHaveLength(1);
  return findings[0];
};

describe('npm run doctor', { timeout: TEST_MILLISECONDS }, () => {
  it('finds nothing broken in this checkout', async () => {
    const { code, error, lines } = await doctor(ROOT);
    expect({ code, error, end: lines.slice(-3) }).toEqual({
      code: 0,
      error: '',
      end: ['', 'Nothing is broken.', ''],
    });
    expect(lines.filter((line) => line !== '' && !/^([✓!]| {4}→|Nothing) /.test(line))).toEqual([]);
    expect(lines.filter((line) => line.startsWith('✓')).length).toBeGreaterThanOrEqual(6);
  });

  it('runs without node_modules, says what to do first, and ends with 1', async () => {
    for (const path of ['scripts', 'package.json', 'package-lock.json']) {
      await cp(join(ROOT, path), join(root, path), { recursive: true });
    }
    const { code, error, lines } = await doctor(root, {
      npm_config_user_agent: 'npm/9.5.0 node/v18.14.0 linux x64',
    });
    expect({ code, error, lines: lines.slice(0, 4), end: lines.at(-2) }).toEqual({
      code: 1,
      error: '',
      lines: [
        '✗ Node 18.14.0 is too old to install this project',
        '    → install Node 20 or newer: nodejs.org',
        '✗ The packages are not installed',
        '    → npm ci',
      ],
      end: 'Mend what is marked ✗, from the top. Then run this again: the other checks wait for it.',
    });
  });
});

describe('what npm installed', () => {
  const manifest = { engines: { node: '>=20' }, devDependencies: { a: '1.0.0' } };
  const lock = {
    packages: {
      '': { devDependencies: { a: '1.0.0' } },
      'node_modules/a': { version: '1.0.0' },
      'node_modules/a/node_modules/b': { version: '2.0.0' },
      'node_modules/other-system': { version: '3.0.0', optional: true },
    },
  };
  const files = {
    'package.json': manifest,
    'package-lock.json': lock,
    'node_modules/a/package.json': { version: '1.0.0' },
    'node_modules/a/node_modules/b/package.json': { version: '2.0.0' },
  };

  it('is in order when it is that of the lock file', async () => {
    await write(files);
    expect(checkNode(here({ npm_config_user_agent: 'npm/10.8.2 node/v20.0.0' })).mark).toBe('ok');
    expect(only(checkModules(here()))?.mark).toBe('ok');
  });

  it.each([
    [
      'another version',
      { 'node_modules/a/package.json': { version: '1.0.1' } },
      'a is 1.0.1 instead of 1.0.0',
    ],
    [
      'one of the wrong version for another system',
      { 'node_modules/other-system/package.json': { version: '2.9.9' } },
      'other-system is 2.9.9 instead of 3.0.0',
    ],
    ['one that is gone', { 'node_modules/a/node_modules/b/package.json': '' }, 'b is missing'],
  ])('names %s', async (_, change, words) => {
    await write({ ...files, ...change });
    expect(only(checkModules(here()))).toEqual({
      mark: 'broken',
      text: `The installed packages are not those of package-lock.json: ${words}`,
      mend: 'npm ci',
    });
  });

  it('says when package.json was changed by hand', async () => {
    await write({ ...files, 'package.json': { ...manifest, devDependencies: { a: '1.0.0', c: '1.0.0' } } });
    expect(only(checkModules(here()))).toMatchObject({ mark: 'broken', mend: 'npm install' });
  });

  it('says when the lock file is no JSON', async () => {
    await write({ ...files, 'package-lock.json': '<<<<<<< HEAD' });
    expect(only(checkModules(here()))).toMatchObject({
      mark: 'broken',
      mend: expect.stringContaining('git checkout'),
    });
  });

  it('says when npm left out the Node that runs the scripts', async () => {
    await write({ 'node_modules/node/package.json': { version: '24.0.0' } });
    expect(only(checkScriptNode(here()))).toMatchObject({
      mark: 'broken',
      mend: expect.stringContaining('npm rebuild node'),
    });
  });
});

describe('this machine', () => {
  // Another test's server may take the port in between.
  it('has the ports free, also where two commands would use the same', { retry: 3 }, async () => {
    const { port, close } = await takePort();
    await close();
    const findings = await checkPorts(here({ PORT: String(port), E2E_PORT: String(port) }));
    expect(findings.map(({ text }) => text.split(' for ')[1])).toEqual([
      'npm start: free',
      'npm run dev: free',
      'npm test: free',
    ]);
  });

  it('has a port taken', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const findings = await checkPorts(here({ PORT: String(address.port), E2E_PORT: 'ninety' }));
    await new Promise((resolve) => server.close(resolve));
    expect(findings.map(({ mark }) => mark)).toEqual(['note', 'note', 'broken']);
    expect(findings[0]?.text).toBe(
      `Port ${address.port} for npm start is taken, perhaps by this project itself`,
    );
  });

  it('has no browser where CHROMIUM_PATH says', async () => {
    const finding = only(await checkBrowser(here({ CHROMIUM_PATH: join(root, 'chrome') })));
    expect(finding).toMatchObject({ mark: 'broken', text: expect.stringContaining('does not run') });
  });
});

describe('wrangler.toml', { timeout: TEST_MILLISECONDS }, () => {
  const environment = (prefix: string, id: string) =>
    [
      `[[${prefix}kv_namespaces]]\nbinding = "SESSIONS"\nid = "${id}"`,
      `[[${prefix}d1_databases]]\nbinding = "DB"\ndatabase_name = "d"\ndatabase_id = "${id}"`,
    ] as const;
  const [kv, d1] = environment('', 'a1');
  const [previewKv, previewD1] = environment('env.preview.', 'b1');
  const toml = (...parts: string[]) =>
    ['name = "x"', 'pages_build_output_dir = "."', 'compatibility_date = "2026-10-01"', ...parts].join('\n');

  it.each([
    ['is in order', toml(kv, d1, previewKv, previewD1), []],
    [
      'lacks a binding',
      toml(kv, previewKv, previewD1),
      ['wrangler.toml has no D1 database "DB" for production'],
    ],
    [
      'lacks all of the preview',
      toml(kv, d1, '[env.preview]'),
      [
        'wrangler.toml has no KV namespace "SESSIONS" for preview',
        'wrangler.toml has no D1 database "DB" for preview',
      ],
    ],
    [
      'has an unknown layout',
      toml('[vars]\nSESSION_LAYOUT = "hash"', kv, d1, previewKv, previewD1),
      ['SESSION_LAYOUT of production is "hash"'],
    ],
    [
      'shares stores',
      toml(kv, d1, ...environment('env.preview.', 'a1')),
      ['production and preview share a store: a1, a1'],
    ],
    ['is no TOML', '[[', [expect.stringMatching(/^wrangler\.toml cannot be read: /)]],
  ])('%s', async (_, content, faults) => {
    await write({ 'wrangler.toml': content });
    const findings = await checkConfig(here());
    expect(findings.filter(({ mark }) => mark !== 'ok').map((finding) => finding.text)).toEqual(faults);
  });

  it('may have placeholders for ids', async () => {
    const placeholder = '00000000-0000-0000-0000-000000000000';
    await write({ 'wrangler.toml': toml(...environment('', placeholder), previewKv, previewD1) });
    expect((await checkConfig(here())).map(({ mark, text }) => `${mark}: ${text}`)).toEqual([
      'ok: wrangler.toml has the bindings of production; the ids are placeholders, which is enough on this machine',
      'ok: wrangler.toml has the bindings of preview',
    ]);
  });
});

describe('what npm start makes', { timeout: TEST_MILLISECONDS }, () => {
  it.each([
    ['note', null],
    ['note', 'OTHER="x"\n'],
    ['note', 'DEVICE_COOKIE_SECRET="short"\n'],
    ['note', 'DEVICE_COOKIE_SECRET="at least 32 random bytes, for instance from: openssl rand -base64 32"\n'],
    ['ok', `# local\nDEVICE_COOKIE_SECRET="${'x'.repeat(43)}"\n`],
  ])('secrets: %s for %j', async (mark, content) => {
    if (content !== null) await write({ '.dev.vars': content });
    const finding = only(checkSecrets(here()));
    expect(finding?.mark).toBe(mark);
    expect(finding?.text).not.toContain('xxx');
  });

  it('the database: not there, without migrations, with them, broken', async () => {
    const states = ['none', 'new', 'migrated', 'broken'] as const;
    for (const state of states) {
      await cp(join(ROOT, 'prisma'), join(root, state, 'prisma'), { recursive: true });
      if (state !== 'none') await mkdir(join(root, state, STATE_FOLDER, 'v3'), { recursive: true });
    }
    await writeFile(join(root, 'broken', STATE_FOLDER, 'v3/d1'), 'not a folder');
    const see = async (state: string) => only(await checkDatabase({ root: join(root, state), env: {} }));
    const [none, fresh, migrated, unreadable] = await Promise.all([
      see('none'),
      see('new'),
      migrate(join(root, 'migrated', STATE_FOLDER)).then(() => see('migrated')),
      see('broken'),
    ]);
    expect(none?.text).toContain('no local database yet');
    expect(fresh).toMatchObject({
      mark: 'note',
      text: 'The local database is without 0001_users_keys_and_ledger.sql, 0002_security_events_and_throttle.sql, 0003_throttle_counted_at.sql, 0005_throttle_under_way.sql',
    });
    expect(migrated?.mark).toBe('ok');
    expect(unreadable).toMatchObject({ mark: 'broken', mend: expect.stringContaining('delete') });
  });

  it('the Prisma client: not there, of another schema, of this one', async () => {
    await write({ 'prisma/schema.prisma': 'model User {}' });
    expect(only(checkClient(here()))?.text).toContain('not generated');
    await write({ 'node_modules/.prisma/client/schema.prisma': 'model Person {}' });
    expect(only(checkClient(here()))?.text).toContain('another prisma/schema.prisma');
    await write({ 'node_modules/.prisma/client/schema.prisma': 'model User {}' });
    expect(only(checkClient(here()))?.mark).toBe('ok');
  });

  it('the build: not there, older than a source, newer than all', async () => {
    await write({ 'src/lib/deep/a.ts': '' });
    expect(only(checkBuild(here()))?.text).toContain('not built');
    await write({ '.svelte-kit/cloudflare/_worker.js': '' });
    await utimes(join(root, 'src/lib/deep/a.ts'), 2_000, 2_000);
    await utimes(join(root, '.svelte-kit/cloudflare/_worker.js'), 1_000, 1_000);
    expect(only(checkBuild(here()))?.text).toBe(
      `The build is older than ${join('src', 'lib', 'deep', 'a.ts')}`,
    );
    await utimes(join(root, '.svelte-kit/cloudflare/_worker.js'), 3_000, 3_000);
    expect(only(checkBuild(here()))?.mark).toBe('ok');
  });
});
