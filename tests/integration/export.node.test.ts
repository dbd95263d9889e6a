/** `npm run admin -- export`: the file contains what docs/leaving-lucia.md says, and who may read it. */
import { createHash, scryptSync } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrate } from '../../scripts/lib/steps.mjs';
import { scryptPasswordHash } from '$lib/server/accounts/password';
import { ABSOLUTE_PERIOD_MILLISECONDS } from '$lib/server/policy';
import { createToken, sessionIdFor } from '$lib/server/sessions/token';
import { admin as runAdmin, ROOT, TEST_MILLISECONDS, withStores } from './admin-command';

/** More than one page of rows. */
const CROWD = 5_003;

const PASSWORD = 'correct horse battery staple';
const HOUR_MILLISECONDS = 3_600_000;
const now = Date.now();
const createdAt = now - HOUR_MILLISECONDS;

/** Returns a session record of the app, of the user ada in epoch 4. */
function record(token: string, changes: Record<string, unknown> = {}) {
  return {
    id: sessionIdFor('ada1', token),
    user_id: 'ada1',
    active_expires: now,
    idle_expires: now + HOUR_MILLISECONDS,
    username: 'ada',
    epoch: 4,
    created_at: createdAt,
    proved_at: createdAt,
    device: { browser: 'Firefox 145', system: 'Linux', kind: 'desktop' },
    place: { country: 'CH', city: 'Bern' },
    ...changes,
  };
}

const [phone, laptop] = [createToken(), createToken()];
const standing = [record(phone), record(laptop, { name: 'work' })];
const revoked = record(createToken());
const ended = [
  revoked,
  record(createToken(), { epoch: 3 }),
  record(createToken(), { idle_expires: now - 1 }),
  record(createToken(), { created_at: now - ABSOLUTE_PERIOD_MILLISECONDS }),
  { ...record(createToken()), id: sessionIdFor('nobody', createToken()), user_id: 'nobody' },
];

const exportedSession = (token: string, name?: string) => ({
  type: 'session',
  token_sha256: createHash('sha256').update(token).digest('hex'),
  user_id: 'ada1',
  created_at: createdAt,
  proved_at: createdAt,
  idle_expires: now + HOUR_MILLISECONDS,
  absolute_expires: createdAt + ABSOLUTE_PERIOD_MILLISECONDS,
  device: { browser: 'Firefox 145', system: 'Linux', kind: 'desktop' },
  place: { country: 'CH', city: 'Bern' },
  ...(name ? { name } : {}),
});

let folder: string;
let hash: string;

const admin = (args: string[]) => runAdmin(args, { WRANGLER_LOG_PATH: join(folder, 'logs') });

async function linesOf(file: string) {
  const lines: Record<string, unknown>[] = (await readFile(file, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  return (type: string) => lines.filter((line) => line.type === type);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'export-'));
  hash = await scryptPasswordHash.generate(PASSWORD);
  await migrate(folder);
  await withStores(folder, async ({ DB, SESSIONS }) => {
    await DB.batch([
      DB.prepare("INSERT INTO User VALUES ('ada1', 'ada', 4, ?1)").bind(createdAt),
      DB.prepare(
        `INSERT INTO User WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${CROWD})
       SELECT 'crowd' || i, 'crowd' || i, 0, 0 FROM n`,
      ),
      DB.prepare("INSERT INTO Key VALUES ('username:ada', ?1, 'ada1'), ('github:a:b', NULL, 'ada1')").bind(
        hash,
      ),
      DB.prepare("INSERT INTO RevokedSession VALUES (?1, 'ada1', 0, ?2, 'revoked', NULL, NULL)").bind(
        revoked.id,
        now * 2,
      ),
    ]);
    const [first, ...others] = [...standing, ...ended];
    await SESSIONS.put(`session:${first?.id}`, JSON.stringify(first), {
      expirationTtl: 3_600,
      metadata: first,
    });
    // As the layout `index` writes them, without metadata.
    for (const one of others)
      await SESSIONS.put(`session:${one.id}`, JSON.stringify(one), { expirationTtl: 3_600 });
    await SESSIONS.put('session:ada1.broken', '{', { expirationTtl: 3_600 });
    await SESSIONS.put('session:ada1.of-another-key', JSON.stringify(first), { expirationTtl: 3_600 });
  });
}, TEST_MILLISECONDS);

afterAll(() => rm(folder, { recursive: true }));

describe('npm run admin -- export', { timeout: TEST_MILLISECONDS }, () => {
  it('export writes every user and key and all live sessions, readable by the caller alone', async () => {
    const file = join(folder, 'all.export.ndjson');
    const { code, out, error } = await admin(['export', file, '--persist-to', folder]);
    expect({ code, error }).toEqual({ code: 0, error: '' });
    expect(out).toContain(
      `Wrote ${CROWD + 1} users, 2 keys and 2 sessions of the local stores to ${relative(ROOT, file)}.`,
    );

    const lines = await linesOf(file);
    const users = lines('user');
    expect(users).toHaveLength(CROWD + 1);
    expect(new Set(users.map(({ id }) => id)).size).toBe(CROWD + 1);
    expect(users[0]).toEqual({ type: 'user', id: 'ada1', username: 'ada', created_at: createdAt });
    expect(lines('key')).toEqual([
      { type: 'key', provider: 'username', provider_user_id: 'ada', user_id: 'ada1', hashed_password: hash },
      { type: 'key', provider: 'github', provider_user_id: 'a:b', user_id: 'ada1', hashed_password: null },
    ]);
    const sessions = lines('session');
    expect(sessions).toHaveLength(2);
    expect(sessions).toEqual(
      expect.arrayContaining([exportedSession(phone), exportedSession(laptop, 'work')]),
    );

    if (process.platform !== 'win32') expect((await stat(file)).mode & 0o777).toBe(0o600);
    const key = hash.split(':')[2] ?? '';
    expect(out).not.toContain(key);
    const logs = await readdir(join(folder, 'logs')).catch(() => []);
    expect(logs).toEqual([]);
  });

  it('the first line of an export says how a password is checked', async () => {
    const file = join(folder, 'all.export.ndjson');
    const [first] = (await linesOf(file))('export');
    const { N, r, p, key_bytes } = Object(first).password_hash;
    const [, salt = '', key] = hash.split(':');
    const derived = scryptSync(PASSWORD.normalize('NFKC'), salt, key_bytes, { N, r, p, maxmem: 256 * N * r });
    expect(derived.toString('hex')).toBe(key);
  });

  it('an export has the fields that docs/leaving-lucia.md shows', async () => {
    const page = await readFile(join(ROOT, 'docs/leaving-lucia.md'), 'utf8');
    const shown = (/```json\n([^]*?)\n```/.exec(page)?.[1] ?? '').split('\n').map((line) => JSON.parse(line));
    const written = await linesOf(join(folder, 'all.export.ndjson'));
    expect(shown.map(({ type }) => type)).toEqual(['export', 'user', 'key', 'session']);
    for (const example of shown) {
      const fields = new Set(written(example.type).flatMap((line) => Object.keys(line)));
      expect([...fields].sort()).toEqual(Object.keys(example).sort());
    }
    expect(shown[0].password_hash).toEqual(written('export')[0]?.password_hash);
  });

  it('export overwrites no file, and refuses a name that git would add', async () => {
    const file = join(folder, 'precious.export.ndjson');
    await writeFile(file, 'precious');
    expect(await admin(['export', file, '--persist-to', folder])).toMatchObject({
      code: 1,
      error: `${file} is there already: move it away, or name another file.\n`,
    });
    expect(await readFile(file, 'utf8')).toBe('precious');
    const { code, error } = await admin(['export', join(folder, 'accounts.json'), '--persist-to', folder]);
    expect({ code, error }).toEqual({
      code: 1,
      error: 'Let the file\'s name end in ".export.ndjson", which git ignores: it holds password hashes.\n',
    });
    expect((await readFile(join(ROOT, '.gitignore'), 'utf8')).split('\n')).toContain('*.export.ndjson');
  });
});
