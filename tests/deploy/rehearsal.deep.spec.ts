import { readdirSync } from 'node:fs';
import { expect } from '@playwright/test';
import { parseConfig } from '../../scripts/deploy/config.mjs';
import type { CloudflareApi } from './cloudflare-api';
import type { Fork, Outcome } from './fork';
import { ACCOUNT, changesIn, PROJECT, QUERY, signIn, test, TEST_MILLISECONDS, WORKER } from './rehearsal';

/** Deploys a live Worker. Each call of a deployment also fails once, and the same command then continues from there. */
test.describe.configure({ timeout: TEST_MILLISECONDS });

const [FIRST_MIGRATION = '', ...LATER_MIGRATIONS] = readdirSync('prisma/migrations')
  .filter((name) => name.endsWith('.sql'))
  .sort();
const LAST_MIGRATION = LATER_MIGRATIONS.at(-1) ?? '';

/** Calls that wrangler repeats by itself, so that a failure of one ends no run. */
const MADE_AGAIN = [
  'POST /pages/assets/check-missing',
  'POST /pages/assets/upload',
  'POST /pages/assets/upsert-hashes',
  `POST ${PROJECT}/deployments`,
  `GET ${PROJECT}/deployments/*`,
];

/** Far more runs than any of these tests needs. */
const MOST_RUNS = 10;

/** Runs the command until it succeeds. Every failure must say which call it was and what to do. */
async function deployAgainAndAgain(fork: Fork, api: CloudflareApi, args: string[] = []): Promise<Outcome[]> {
  const failing = [...api.failing].filter((kind) => !MADE_AGAIN.includes(kind));
  const outcomes: Outcome[] = [];
  do outcomes.push(await fork.deploy(api, args));
  while (outcomes.at(-1)?.code !== 0 && outcomes.length < MOST_RUNS);

  expect(outcomes.at(-1)).toMatchObject({ code: 0, error: '' });
  expect([...api.failing]).toEqual([]);
  const errors = outcomes.slice(0, -1).map(({ error }) => error);
  for (const error of errors) expect(error).toContain('What to do: ');
  for (const kind of failing) expect(errors.join('\n')).toContain(`Rehearsed failure of ${kind} [`);
  return outcomes;
}

function timesMade(api: CloudflareApi, kind: string): number {
  return api.calls.filter((call) => call === kind).length;
}

test('one command creates a live Worker, with its secret, its cron and no address for old versions', async ({
  api,
  fork,
}) => {
  const { code, out, error } = await fork.deploy(api, ['--workers', '--location', 'weur']);

  expect({ code, error }).toEqual({ code: 0, error: '' });
  expect(out).toContain(`make    D1 database "${fork.project}" (DB), location "weur"`);
  expect(changesIn(api)).toContain(`PUT ${WORKER}`);
  const { secrets, crons, previewUrls } = api.workers.get(fork.project);
  expect(Object.keys(secrets)).toEqual(['COOKIE_SECRET']);
  expect(crons).toEqual(['17 * * * *']);
  expect(previewUrls).toBe(false);
  expect(api.d1.locations).toEqual(['weur']);
  await signIn(await api.workers.addressOf(fork.project));
});

test('production: if every call up to the deployment fails once, each run continues where the last one stopped', async ({
  api,
  fork,
}) => {
  const creating = [
    `POST ${ACCOUNT}/storage/kv/namespaces`,
    `POST ${ACCOUNT}/d1/database`,
    `POST ${ACCOUNT}/pages/projects`,
  ];
  for (const kind of [
    `GET ${ACCOUNT}/storage/kv/namespaces`,
    `GET ${ACCOUNT}/d1/database`,
    `GET ${PROJECT}`,
    ...creating,
    `PATCH ${PROJECT}`,
  ]) {
    api.failing.add(kind);
  }
  const committed = parseConfig(fork.wranglerToml);

  const outcomes = await deployAgainAndAgain(fork, api);

  // Simultaneous calls fail together: the project, the two lists, the three creations, the secret.
  expect(outcomes).toHaveLength(5);
  for (const kind of creating) expect(timesMade(api, kind)).toBe(1);
  const [namespace] = api.kv.list();
  const [database] = api.d1.list();
  const made = fork.wranglerToml;
  expect(parseConfig(made)).toEqual({
    ...committed,
    kv_namespaces: committed.kv_namespaces?.map((entry) => ({ ...entry, id: namespace?.id })),
    d1_databases: committed.d1_databases?.map((entry) => ({ ...entry, database_id: database?.uuid })),
  });
  await signIn(await api.pages.addressOf('production'));

  await test.step('a second run changes nothing but the deployment', async () => {
    const before = [...api.calls];
    const secrets = structuredClone(api.pages.get(fork.project).deployment_configs);
    expect(await fork.deploy(api)).toMatchObject({ code: 0, error: '' });
    expect(changesIn(api, before.length)).toEqual(
      new Set([
        `${QUERY} (make the list)`,
        `${QUERY} (read what is applied)`,
        'POST /pages/assets/check-missing',
        'POST /pages/assets/upsert-hashes',
        `POST ${PROJECT}/deployments`,
      ]),
    );
    expect(fork.wranglerToml).toBe(made);
    expect(api.pages.get(fork.project).deployment_configs).toEqual(secrets);
    expect(Object.keys(secrets.production.env_vars)).toEqual(['COOKIE_SECRET']);
    await signIn(await api.pages.addressOf('production'));
  });

  await test.step('--dry-run says what would be done, and does nothing', async () => {
    const before = [...api.calls];
    const { code, out } = await fork.deploy(api, ['--dry-run']);
    expect(code).toBe(0);
    expect(out).toContain(`keep    D1 database "${database?.name}" (DB), id ${database?.uuid}`);
    expect(out).toContain('Nothing was changed.');
    expect(api.calls.slice(before.length)).toEqual([`GET ${PROJECT}`, `GET ${PROJECT}/deployments`]);
  });
});

test('preview: existing stores are found by their names; every call from the migrations on may fail once', async ({
  api,
  fork,
}) => {
  const namespace = api.kv.create(`${fork.project}-preview-SESSIONS`);
  api.pages.create({ name: fork.project, production_branch: 'main' });

  for (const kind of [
    `${QUERY} (make the list)`,
    `${QUERY} (read what is applied)`,
    `${QUERY} (apply ${LAST_MIGRATION})`,
    `GET ${PROJECT}/upload-token`,
    ...MADE_AGAIN,
  ]) {
    api.failing.add(kind);
  }
  api.pages.losesDatabase = true;
  const outcomes = await deployAgainAndAgain(fork, api, ['--preview']);

  // Three failures of the migrations, one of the upload, one unhealthy deployment, and one success.
  expect(outcomes).toHaveLength(6);
  const plan = outcomes[0]?.out;
  expect(plan).toContain(`use     KV namespace "${namespace.title}" (SESSIONS), found by its name`);
  expect(plan).toMatch(/make {4}D1 database ".+" \(DB\)/);
  expect(plan).toContain(`keep    Pages project "${fork.project}"`);
  expect(outcomes[4]?.error).toContain('It is deployed, but ');
  expect(outcomes[4]?.error).toContain('503 [bindings] the D1 database binding "DB" is missing');
  expect(outcomes[3]?.out).toContain(LAST_MIGRATION);
  expect(outcomes[3]?.out).not.toContain(FIRST_MIGRATION);
  const { kv_namespaces, d1_databases, env } = parseConfig(fork.wranglerToml);
  expect(env?.preview?.kv_namespaces).toMatchObject([{ id: namespace.id }]);
  expect(env?.preview?.d1_databases).toMatchObject([{ database_id: api.d1.list()[0]?.uuid }]);
  expect([kv_namespaces?.[0]?.id, d1_databases?.[0]?.database_id].join()).toMatch(/^[0,-]+$/);
  const { production, preview } = api.pages.get(fork.project).deployment_configs;
  expect(Object.keys(preview.env_vars)).toEqual(['COOKIE_SECRET']);
  expect(production.env_vars).toEqual({});
  await signIn(await api.pages.addressOf('preview'));
});

test('a Worker: if every call fails once, each run continues where the last one stopped, and a second deployment works', async ({
  api,
  fork,
}) => {
  const once = [
    `GET ${WORKER}/secrets`,
    `POST ${ACCOUNT}/storage/kv/namespaces`,
    `POST ${ACCOUNT}/d1/database`,
    `${QUERY} (apply ${LAST_MIGRATION})`,
    `PUT ${WORKER}/schedules`,
  ];
  for (const kind of once) api.failing.add(kind);
  const outcomes = await deployAgainAndAgain(fork, api, ['--workers', '--location', 'weur']);

  // The secrets, both stores at once, the migration, the cron, and one success.
  expect(outcomes).toHaveLength(5);
  for (const kind of once.slice(1, 3)) expect(timesMade(api, kind)).toBe(1);
  const [namespace] = api.kv.list();
  const [database] = api.d1.list();
  for (const name of ['wrangler.toml', 'wrangler.workers.toml']) {
    const { kv_namespaces, d1_databases } = parseConfig(fork.read(name));
    expect([kv_namespaces?.[0]?.id, d1_databases?.[0]?.database_id]).toEqual([namespace?.id, database?.uuid]);
  }
  await signIn(await api.workers.addressOf(fork.project));

  const { secrets, uploads } = structuredClone({ ...api.workers.get(fork.project), worker: null });
  const before = api.calls.length;
  expect(await fork.deploy(api, ['--workers'])).toMatchObject({ code: 0, error: '' });
  const again = api.workers.get(fork.project);
  expect(again.secrets).toEqual(secrets);
  expect(again.uploads).toBe(uploads + 1);
  expect(
    [...changesIn(api, before)].filter((kind) => /namespaces|database$|assets\/upload$/.test(kind)),
  ).toEqual([]);
  await signIn(await api.workers.addressOf(fork.project));

  await test.step('a preview is a Worker of its own, with stores of its own', async () => {
    expect(await fork.deploy(api, ['--workers', '--preview'])).toMatchObject({ code: 0, error: '' });
    expect(api.kv.list()).toHaveLength(2);
    expect(api.d1.list()).toHaveLength(2);
    expect(api.workers.get(`${fork.project}-preview`).secrets).not.toEqual(secrets);
    await signIn(await api.workers.addressOf(`${fork.project}-preview`));
  });
});

test('a deployment first finds out who is signed in, and to which account', async ({ api, fork }) => {
  const withoutAccount = { CLOUDFLARE_ACCOUNT_ID: '' };

  await test.step('no sign-in', async () => {
    const { code, error } = await fork.deploy(api, [], { ...withoutAccount, CLOUDFLARE_API_TOKEN: '' });
    expect(code).toBe(1);
    expect(error).toContain('What to do: Sign in with "npx wrangler login", or set CLOUDFLARE_API_TOKEN');
  });
  await test.step('a token that is not accepted', async () => {
    const { code, error } = await fork.deploy(api, [], { CLOUDFLARE_API_TOKEN: 'of-someone-else' });
    expect(code).toBe(1);
    expect(error).toContain('Authentication error');
    expect(error).toContain('What to do: The sign-in was refused. Sign in with');
  });
  // The last two are called at once, and wrangler reports the first of them.
  for (const [kind = '', ...atOnce] of [
    ['GET /user/tokens/verify'],
    ['GET /user'],
    ['GET /accounts', 'GET /memberships'],
  ]) {
    await test.step(`${kind} fails`, async () => {
      for (const failing of [kind, ...atOnce]) api.failing.add(failing);
      const { code, error } = await fork.deploy(api, [], withoutAccount);
      expect(code).toBe(1);
      expect(error).toContain(`Rehearsed failure of ${kind} [`);
      expect(error).toContain('What to do: ');
      expect([...api.failing]).toEqual([]);
    });
  }
  await test.step('two accounts', async () => {
    api.accounts.push({ id: 'b'.repeat(32), name: 'The other one' });
    const { code, error } = await fork.deploy(api, [], withoutAccount);
    expect(code).toBe(1);
    expect(error).toContain(`${'b'.repeat(32)}  The other one`);
    expect(error).toContain('What to do: set CLOUDFLARE_ACCOUNT_ID to the one that is meant.');
  });
  expect(api.calls.filter((kind) => !kind.startsWith('GET '))).toEqual([]);
});
