import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { branchesOf } from '../../scripts/deploy/pages.mjs';
import { smallestSite } from './smallest-site';

/** Pages decides only by the branch whether a deployment becomes production. So the branch is checked before anything changes. */

/** `project` is the production branch of the existing project, or `null` if there is none. `branch` is the requested one. */
type Case = [environmentName: 'production' | 'preview', branch: string | null, project: string | null];

const choose = ([environmentName, branch, project]: Case) =>
  branchesOf(
    { project: 'site', environmentName, branch, where: [], deleteOld: false, location: null, stores: [] },
    project,
  );

describe('the branch of a deployment', () => {
  it.each<[...Case, branch: string, productionBranch: string]>([
    ['production', null, 'trunk', 'trunk', 'trunk'],
    ['production', 'trunk', 'trunk', 'trunk', 'trunk'],
    ['production', null, null, 'main', 'main'],
    ['production', 'release', null, 'release', 'release'],
    ['preview', null, 'trunk', 'preview', 'trunk'],
    ['preview', 'main', 'trunk', 'main', 'trunk'],
    ['preview', null, null, 'preview', 'main'],
    ['preview', 'x', null, 'x', 'main'],
  ])(
    'a deployment to %s, asked for %s, of a project on %s, goes to %s',
    (environment, asked, project, branch, production) => {
      expect(choose([environment, asked, project])).toEqual({ branch, productionBranch: production });
    },
  );

  it.each<[...Case, says: string]>([
    ['production', 'main', 'trunk', 'is "trunk"'],
    ['production', 'feature', 'trunk', 'is "trunk"'],
    ['production', 'Trunk', 'trunk', 'is "trunk"'],
    ['preview', 'trunk', 'trunk', 'is "trunk"'],
    ['preview', null, 'preview', 'is "preview"'],
    ['preview', 'main', null, 'will be "main"'],
  ])(
    'a deployment to %s, asked for %s, of a project on %s, is refused',
    (environment, asked, project, says) => {
      expect(() => choose([environment, asked, project])).toThrow(`the production branch of "site" ${says}`);
    },
  );
});

/** Each needs a copy of the tree and some wrangler commands of a second or two. All but one of each kind run in `npm run test:deep`. */
describe('npm run deploy', { timeout: 180_000 }, () => {
  const site = smallestSite();
  const GIT_STATES = {
    'on a branch': () => site.fork.git('switch', '--quiet', '--create', 'feature'),
    'detached HEAD': () => site.fork.git('switch', '--quiet', '--detach'),
    'no git': () => rmSync(join(site.fork.folder, '.git'), { recursive: true }),
  };

  /** Runs a deployment in a project on "trunk" and expects that it changed nothing: no call and no file. */
  async function deployed(git: keyof typeof GIT_STATES, args: string) {
    GIT_STATES[git]();
    site.api.pages.create({ name: site.fork.project, production_branch: 'trunk' });
    const before = site.fork.wranglerToml;
    const outcome = await site.fork.deploy(site.api, args.split(' ').filter(Boolean));
    expect(site.api.calls.filter((kind) => !kind.startsWith('GET '))).toEqual([]);
    expect(site.fork.wranglerToml).toBe(before);
    return outcome;
  }

  const IS_TRUNK = 'the production branch of "pages-sessions" is "trunk"';

  type Run = [git: keyof typeof GIT_STATES, args: string, says: string];

  const REFUSED = [
    ['on a branch', '--branch feature', IS_TRUNK],
    ['no git', '--preview --branch trunk', IS_TRUNK],
    ['on a branch', '--branch=', '--branch takes the name of a branch'],
    ['on a branch', '--branch=-f', '--branch takes the name of a branch'],
    ['on a branch', '--preview --delete-old', '--delete-old is for production'],
    ['on a branch', '--workers --branch feature', '--branch and --delete-old are for Pages'],
    ['on a branch', '--location moon', '--location takes one of weur, '],
  ] satisfies Run[];

  it.each(some(REFUSED))('a deployment is refused and changes nothing: %s, %s', async (git, args, says) => {
    const { code, error } = await deployed(git, args);
    expect(error).toContain(says);
    expect(code).toBe(1);
  });

  const PLANNED = [
    ['detached HEAD', '', 'deploy  as production (branch "trunk")'],
    ['no git', '--preview', 'deploy  as preview (branch "preview")'],
  ] satisfies Run[];

  it.each(some(PLANNED))(
    'a deployment names the branch in its plan, whatever git has checked out: %s, %j',
    async (git, args, says) => {
      const { code, out } = await deployed(git, `--dry-run ${args}`);
      expect(out).toContain(`  ${says}\n`);
      expect(code).toBe(0);
    },
  );
});

function some<T>(runs: T[]): T[] {
  return process.env.DEEP === '1' ? runs : runs.slice(0, 1);
}
