import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { smallestSite } from './smallest-site';

/** Pages decides by the branch alone whether a deployment becomes production. So it is checked before anything changes. */
const site = smallestSite();

/** A copy of the tree and some commands of wrangler each, of a second or two. */
const TEST_MILLISECONDS = 180_000;

const GIT_STATES = {
  'on a branch': () => site.fork.git('switch', '--quiet', '--create', 'feature'),
  'detached HEAD': () => site.fork.git('switch', '--quiet', '--detach'),
  'no git': () => rmSync(join(site.fork.folder, '.git'), { recursive: true }),
};
type GitState = keyof typeof GIT_STATES;

/** `project` is the production branch of the project that is there, `null` for none. */
type Case = [git: GitState, args: string, project: string | null, says: string];

/** No call changed anything, and no file did. */
function expectNoChange(before: string): void {
  expect(site.api.calls.filter((kind) => !kind.startsWith('GET '))).toEqual([]);
  expect(site.fork.wranglerToml).toBe(before);
}

const IS_TRUNK = 'the production branch of "pages-sessions" is "trunk"';
const IS_PREVIEW = 'the production branch of "pages-sessions" is "preview"';
const WILL_BE_MAIN = 'the production branch of "pages-sessions" will be "main"';
const NO_BRANCH = '--branch takes the name of a branch';

describe('what would go to the other environment', { timeout: TEST_MILLISECONDS }, () => {
  it.each([
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
  ] satisfies Case[])(
    'is refused and changes nothing: %s, %s, production branch %s',
    async (git, args, project, says) => {
      GIT_STATES[git]();
      if (project) site.api.pages.create({ name: site.fork.project, production_branch: project });
      const before = site.fork.wranglerToml;

      const { code, error } = await site.fork.deploy(site.api, args.split(' '));

      expect(error).toContain(says);
      expect(code).toBe(1);
      expectNoChange(before);
    },
  );
});

const MAKES = 'make    Pages project "pages-sessions", with the production branch';

describe('the plan', { timeout: TEST_MILLISECONDS }, () => {
  it.each([
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
  ] satisfies Case[])('names the branch: %s, %j, production branch %s', async (git, args, project, says) => {
    // With ids nothing has to be looked up by its name: no command of wrangler, so no seconds.
    let ids = 0;
    const withIds = site.fork.wranglerToml.replaceAll(/[0-]{32,}(?=")/g, (id) =>
      id.replace(/.$/, String(++ids)),
    );
    site.fork.write('wrangler.toml', withIds.replaceAll('"00000000', '"a0000000'));
    site.fork.commit('Ids');
    GIT_STATES[git]();
    if (project) site.api.pages.create({ name: site.fork.project, production_branch: project });
    const before = site.fork.wranglerToml;

    const { code, out } = await site.fork.deploy(site.api, ['--dry-run', ...args.split(' ').filter(Boolean)]);

    expect(out).toContain(`  ${says}\n`);
    expect(code).toBe(0);
    expectNoChange(before);
  });
});
