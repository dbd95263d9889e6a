import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CloudflareApi } from './cloudflare-api';
import { Fork } from './fork';

/**
 * Which environment a deployment goes to, and what it leaves alone: with wrangler, git and a local copy of Cloudflare's API. What
 * is deployed is the smallest worker that is well, so no build is needed; rehearsal.spec.ts deploys the app.
 */
const WORKER = `export default { fetch: () => new Response('{"kv":"ok","d1":"ok"}') };`;

/** Some commands of wrangler each, of a second or two. */
const TEST_MILLISECONDS = 180_000;

let api: CloudflareApi;
let fork: Fork;

beforeEach(async () => {
  api = await CloudflareApi.start();
  fork = new Fork();
  mkdirSync(join(fork.folder, '.svelte-kit/cloudflare'), { recursive: true });
  fork.write('.svelte-kit/cloudflare/_worker.js', WORKER);
});

afterEach(async () => {
  await api.stop();
  fork.remove();
});

const GIT_STATES = {
  'on a branch': () => fork.git('switch', '--quiet', '--create', 'feature'),
  'detached HEAD': () => fork.git('switch', '--quiet', '--detach'),
  'no git': () => rmSync(join(fork.folder, '.git'), { recursive: true }),
};
type GitState = keyof typeof GIT_STATES;

/** `project` is the production branch of the project that is there, `null` for none. */
type Case = [git: GitState, args: string, project: string | null, says: string];

/** No call changed anything, and no file did. */
function expectNoChange(before: string): void {
  expect(api.calls.filter((kind) => !kind.startsWith('GET '))).toEqual([]);
  expect(fork.wranglerToml).toBe(before);
}

const IS_TRUNK = 'the production branch of "pages-sessions" is "trunk"';
const IS_PREVIEW = 'the production branch of "pages-sessions" is "preview"';
const WILL_BE_MAIN = 'the production branch of "pages-sessions" will be "main"';
const NO_BRANCH = '--branch takes the name of a branch';

describe('what would go to the other environment', { timeout: TEST_MILLISECONDS }, () => {
  it.each<Case>([
    ['on a branch', '--branch main', 'trunk', IS_TRUNK],
    ['on a branch', '--branch feature', 'trunk', IS_TRUNK],
    ['detached HEAD', '--branch feature', 'trunk', IS_TRUNK],
    ['no git', '--branch feature', 'trunk', IS_TRUNK],
    ['on a branch', '--branch Trunk', 'trunk', IS_TRUNK],
    ['on a branch', '--branch feature --delete-old', 'trunk', IS_TRUNK],
    ['on a branch', '--preview --branch trunk', 'trunk', IS_TRUNK],
    ['detached HEAD', '--preview --branch trunk', 'trunk', IS_TRUNK],
    ['no git', '--preview --branch trunk', 'trunk', IS_TRUNK],
    ['on a branch', '--preview', 'preview', IS_PREVIEW],
    ['on a branch', '--preview --branch main', null, WILL_BE_MAIN],
    ['on a branch', '--branch=', 'trunk', NO_BRANCH],
    ['on a branch', '--branch=-f', 'trunk', NO_BRANCH],
    ['on a branch', '--preview --branch=', 'trunk', NO_BRANCH],
    ['on a branch', '--preview --delete-old', 'trunk', '--delete-old is for production'],
  ])('is refused and changes nothing: %s, %s, production branch %s', async (git, args, project, says) => {
    GIT_STATES[git]();
    if (project) api.pages.create({ name: fork.project, production_branch: project });
    const before = fork.wranglerToml;

    const { code, error } = await fork.deploy(api, args.split(' '));

    expect(error).toContain(says);
    expect(code).toBe(1);
    expectNoChange(before);
  });
});

const MAKES = 'make    Pages project "pages-sessions", with the production branch';

describe('the plan', { timeout: TEST_MILLISECONDS }, () => {
  it.each<Case>([
    ['on a branch', '', 'trunk', 'deploy  as production (branch "trunk")'],
    ['detached HEAD', '', 'trunk', 'deploy  as production (branch "trunk")'],
    ['no git', '', 'trunk', 'deploy  as production (branch "trunk")'],
    ['on a branch', '--branch trunk', 'trunk', 'deploy  as production (branch "trunk")'],
    ['on a branch', '--preview', 'trunk', 'deploy  as preview (branch "preview")'],
    ['detached HEAD', '--preview', 'trunk', 'deploy  as preview (branch "preview")'],
    ['no git', '--preview', 'trunk', 'deploy  as preview (branch "preview")'],
    ['on a branch', '--preview --branch main', 'trunk', 'deploy  as preview (branch "main")'],
    ['on a branch', '', null, `${MAKES} "main"`],
    ['on a branch', '--branch release', null, `${MAKES} "release"`],
    ['on a branch', '--preview', null, `${MAKES} "main"`],
    ['no git', '--preview --branch x', null, `${MAKES} "main"`],
  ])('names the branch: %s, %j, production branch %s', async (git, args, project, says) => {
    // With ids nothing has to be looked up by its name: no command of wrangler, so no seconds.
    let ids = 0;
    const withIds = fork.wranglerToml.replaceAll(/[0-]{32,}(?=")/g, (id) => id.replace(/.$/, String(++ids)));
    fork.write('wrangler.toml', withIds.replaceAll('"00000000', '"a0000000'));
    fork.commit('Ids');
    GIT_STATES[git]();
    if (project) api.pages.create({ name: fork.project, production_branch: project });
    const before = fork.wranglerToml;

    const { code, out } = await fork.deploy(api, ['--dry-run', ...args.split(' ').filter(Boolean)]);

    expect(out).toContain(`  ${says}\n`);
    expect(code).toBe(0);
    expectNoChange(before);
  });
});

/** The project and the stores of both environments, by their names; the fork finds those that it needs. */
function account() {
  const name = fork.project;
  api.pages.create({ name, production_branch: 'trunk' });
  for (const prefix of [name, `${name}-preview`]) api.kv.create(`${prefix}-SESSIONS`);
  return { production: api.d1.create(name).uuid, preview: api.d1.create(`${name}-preview`).uuid };
}

describe('a deployment', { timeout: TEST_MILLISECONDS }, () => {
  it.each([
    ['production', 'preview', []],
    ['preview', 'production', ['--preview']],
  ] as const)('to %s touches no database, secret or deployment of %s', async (environment, other, args) => {
    const databases = account();

    // As a CI may have it set, or somebody's shell: wrangler takes it for --env where none is given.
    const { code, error } = await fork.deploy(api, [...args], { CLOUDFLARE_ENV: other });

    expect({ code, error }).toEqual({ code: 0, error: '' });
    expect([...api.d1.asked]).toEqual([databases[environment]]);
    expect(api.pages.deployments(fork.project, environment)).toHaveLength(1);
    expect(api.pages.deployments(fork.project, other)).toEqual([]);
    const { deployment_configs } = api.pages.get(fork.project);
    expect(Object.keys(deployment_configs[environment].env_vars)).toEqual(['DEVICE_COOKIE_SECRET']);
    expect(deployment_configs[other].env_vars).toEqual({});
  });
});

describe('older production deployments', { timeout: TEST_MILLISECONDS }, () => {
  it('go on answering until --delete-old, which deletes those of its plan and no preview', async () => {
    account();
    api.pages.addPast(120, 'production');
    api.pages.addPast(1, 'preview');

    const first = await fork.deploy(api);
    expect(first).toMatchObject({ code: 0, error: '' });
    expect(first.out).toContain('120 older production deployments can still be reached');
    expect(first.out).toContain('"npm run deploy -- --delete-old"');
    const [older] = api.pages.deployments(fork.project, 'production');
    if (!older) throw new Error('nothing was deployed');

    const made = api.calls.length;
    const planned = await fork.deploy(api, ['--delete-old', '--dry-run']);
    expect(planned.out).toContain('  delete  100 of 121 older production deployments');
    expect(api.calls.slice(made).filter((kind) => !kind.startsWith('GET '))).toEqual([]);
    expect((await fetch(older.url)).status).toBe(200);

    const second = await fork.deploy(api, ['--delete-old']);
    expect(second).toMatchObject({ code: 0, error: '' });
    expect(second.out).toContain('21 older production deployments can still be reached');
    await expect(fetch(older.url)).rejects.toThrow();
    expect((await fetch(await api.pages.addressOf('production'))).status).toBe(200);
    expect(api.pages.deployments(fork.project, 'production')).toHaveLength(22);
    expect(api.pages.deployments(fork.project, 'preview')).toHaveLength(1);
  });
});
