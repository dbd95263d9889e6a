/** The scripts that people run, in an incomplete copy of this tree. Each prints one sentence with the fix and no stack, and ends. */
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CONFIGS = ['wrangler.toml', 'wrangler.workers.toml'];
const COPIED = ['scripts', 'src/lib/server', 'prisma', 'package.json', 'package-lock.json', ...CONFIGS];

vi.setConfig({ testTimeout: 90_000 });

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'scripts-'));
  for (const path of COPIED) cpSync(join(ROOT, path), join(root, path), { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true }));

/** Links this checkout's packages into the copy. */
const install = () => symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'), 'dir');

/** Rewrites a file of the copy. */
function edit(path: string, change: (before: string) => string): void {
  writeFileSync(join(root, path), change(readFileSync(join(root, path), 'utf8')));
}

async function run(script: string, args: string[] = [], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [`scripts/${script}.mjs`, ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [out, error, code] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
  return { code, out, error };
}

/** Occupies a free port while `use` runs. */
async function withTakenPort<T>(use: (port: number) => Promise<T>): Promise<T> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  try {
    return await use(address.port);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

const SCRIPTS: [script: string, args: string[]][] = [
  ['start', []],
  ['dev', []],
  ['test', []],
  ['admin', ['purge']],
  ['deploy', ['--dry-run']],
];
const misnamed = (before: string) => before.replace('binding = "SESSIONS"', 'binding = "SESSION"');

it('the local secret is created if there is none, and the rest of .dev.vars stays', async () => {
  install();
  const ensure = "import('./scripts/lib/steps.mjs').then(({ ensureDevVars }) => ensureDevVars())";
  const file = join(root, '.dev.vars');
  writeFileSync(file, 'DEVICE_COOKIE_SECRET="the one before"\nSHOW_COST="off"');
  const texts = [];
  for (let i = 0; i < 2; i += 1) {
    const child = spawn(process.execPath, ['-e', ensure], { cwd: root });
    expect(await new Promise((resolve) => child.once('close', resolve))).toBe(0);
    texts.push(readFileSync(file, 'utf8'));
  }
  expect(texts[0]).toMatch(
    /^DEVICE_COOKIE_SECRET="the one before"\nSHOW_COST="off"\nCOOKIE_SECRET="[\w-]{43}"\n$/,
  );
  expect(texts[1]).toBe(texts[0]);
});

describe.each([...SCRIPTS.map(([script]) => script), 'doctor'])('%s', (script) => {
  it('the scripts answer --help, even without node_modules', async () => {
    const { code, out, error } = await run(script, ['--help']);
    expect({ code, error }).toEqual({ code: 0, error: '' });
    expect(out).toMatch(/^Usage:/);
  });

  it('a script explains itself when it gets an unknown argument', async () => {
    const { code, out, error } = await run(script, ['--no-such-thing']);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(error).toMatch(/^Unknown option '--no-such-thing'[^]*\nUsage:/);
    expect(error).not.toMatch(/^ +at /m);
  });
});

describe.each(SCRIPTS)('%s', (script, args) => {
  it.each<[string, () => void, string | RegExp]>([
    ['without node_modules', () => {}, 'The packages are not installed: run "npm ci" first.\n'],
    [
      'with a broken wrangler.toml',
      () => {
        install();
        edit('wrangler.toml', (before) => before.replace('[vars]', '[vars'));
      },
      /^wrangler\.toml cannot be read \(line \d+: [^\n]+\): correct it, or "git checkout wrangler\.toml"\.\n$/,
    ],
    [
      'with a misnamed binding',
      () => {
        install();
        edit('wrangler.toml', misnamed);
      },
      'wrangler.toml has no KV namespace "SESSIONS" for production: add binding = "SESSIONS" under [[kv_namespaces]].\n',
    ],
  ])('the script says one sentence and stops %s', async (_, spoil, sentence) => {
    spoil();
    const { code, out, error } = await run(script, args);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    if (typeof sentence === 'string') expect(error).toBe(sentence);
    else expect(error).toMatch(sentence);
  });
});

describe.each<[string, string[]]>([
  ['start', ['--workers']],
  ['deploy', ['--workers', '--dry-run']],
])('%s', (script, args) => {
  it('a misnamed binding of the Worker stops the script with one sentence', async () => {
    install();
    edit('wrangler.workers.toml', misnamed);
    expect(await run(script, args)).toEqual({
      code: 1,
      out: '',
      error:
        'wrangler.workers.toml has no KV namespace "SESSIONS" for production: add binding = "SESSIONS" under [[kv_namespaces]].\n',
    });
  });
});

describe('a port', () => {
  it.each([
    ['start', 'PORT', 0],
    ['dev', 'PORT', 0],
    ['test', 'E2E_PORT', 1],
  ])('a port that another program uses stops %s', async (script, variable, before) => {
    install();
    await withTakenPort(async (port) => {
      expect(await run(script, [], { [variable]: String(port - before) })).toEqual({
        code: 1,
        out: '',
        error: `Port ${port} is taken by another program: stop that one, or choose another port with ${variable}=${port + 11}.\n`,
      });
    });
  });

  it('an invalid port is refused', async () => {
    install();
    expect(await run('start', [], { PORT: '80a' })).toMatchObject({
      code: 1,
      error: 'PORT is "80a": set it to a port from 1 to 65535, or unset it.\n',
    });
  });
});

describe('doctor', () => {
  it('doctor mentions a Node that still works, and finds nothing broken in it', async () => {
    install();
    const { code, lines: said } = await lines({
      npm_config_user_agent: 'npm/10.8.2 node/v20.20.2 linux x64',
    });
    expect(code).toBe(0);
    expect(said[0]).toBe('! Node 20.20.2 still works here, and is no longer mended');
  });

  const lines = async (env: NodeJS.ProcessEnv = {}) => {
    const { code, out, error } = await run('doctor', [], { npm_config_user_agent: '', ...env });
    expect(error).toBe('');
    return { code, lines: out.trimEnd().split('\n') };
  };

  it('doctor finds nothing broken in a fresh checkout, and says what is still missing', async () => {
    install();
    const { code, lines: said } = await lines();
    expect({ code, end: said.at(-1) }).toEqual({ code: 0, end: 'Nothing is broken.' });
    expect(said).toContain('! There is no .dev.vars, the local secret: npm start makes it');
    expect(said).toContain('! There is no local database yet: npm start makes it');
    expect(said.filter((line) => line.startsWith('✓')).length).toBeGreaterThanOrEqual(3);
  });

  it('on an old Node without node_modules, doctor says what to do first', async () => {
    const { code, lines: said } = await lines({ npm_config_user_agent: 'npm/9.5.0 node/v18.14.0 linux x64' });
    expect(code).toBe(1);
    expect(said.slice(0, 4)).toEqual([
      '✗ Node 18.14.0 is too old for this project',
      '    → install Node 22 or newer: nodejs.org',
      '✗ The packages are not installed',
      '    → run "npm ci" first',
    ]);
    expect(said.at(-1)).toBe('Mend what is marked ✗, from the top, and run this again.');
  });

  it.each<[string, () => void, string]>([
    [
      'packages that are not those of the lock file',
      () =>
        edit('package-lock.json', (before) =>
          before.replace(/(node_modules\/lucia": \{\s+"version": ")[^"]+/, '$12.0.0'),
        ),
      '✗ The installed packages are not those of package-lock.json: lucia, for one',
    ],
    [
      'a package that is not installed',
      () =>
        edit('package-lock.json', (before) =>
          before.replace('"node_modules/lucia": {', '"node_modules/missing": {'),
        ),
      '✗ The installed packages are not those of package-lock.json: lucia, for one',
    ],
    [
      'a binding that is missing',
      () => edit('wrangler.toml', misnamed),
      '✗ wrangler.toml has no KV namespace "SESSIONS" for production',
    ],
    [
      'a binding that only previews miss',
      () => edit('wrangler.toml', (before) => before.replace(/"DB"(?![^]*"DB")/, '"DATABASE"')),
      '✗ wrangler.toml has no D1 database "DB" for preview',
    ],
    [
      'a file that is no JSON',
      () => edit('package-lock.json', (before) => `<<<<<<< HEAD\n${before}`),
      '✗ package-lock.json cannot be read',
    ],
  ])('doctor finds %s', async (_, spoil, line) => {
    install();
    spoil();
    const { code, lines: said } = await lines();
    expect(code).toBe(1);
    expect(said).toContain(line);
  });

  it('doctor mentions a weak secret, a used port and a database without its migrations', async () => {
    install();
    writeFileSync(join(root, '.dev.vars'), 'COOKIE_SECRET="short"\n');
    mkdirSync(join(root, '.wrangler/state'), { recursive: true });
    await withTakenPort(async (port) => {
      const { code, lines: said } = await lines({ PORT: String(port) });
      expect(code).toBe(0);
      expect(said).toContain('! .dev.vars has no COOKIE_SECRET of 32 random bytes');
      expect(said).toContain(`! Port ${port} for npm start is taken, perhaps by this project itself`);
      expect(said.join('\n')).toMatch(/! The local database is without 0001_\S+\.sql, /);
    });
  });
});
