import { describe, expect, it } from 'vitest';
import { smallestSite } from './smallest-site';

/** What a deployment changes, and what it leaves alone. */
const site = smallestSite();

/** Each test needs a copy of the tree and some wrangler commands of a second or two. */
const TEST_MILLISECONDS = 180_000;

/** Creates the project and the stores of both environments. The fork finds the ones it needs by name. */
function account() {
  const name = site.fork.project;
  site.api.pages.create({ name, production_branch: 'trunk' });
  for (const prefix of [name, `${name}-preview`]) site.api.kv.create(`${prefix}-SESSIONS`);
  return { production: site.api.d1.create(name).uuid, preview: site.api.d1.create(`${name}-preview`).uuid };
}

describe('a deployment', { timeout: TEST_MILLISECONDS }, () => {
  it.each([
    ['production', 'preview', []],
    ['preview', 'production', ['--preview']],
  ] as const)(
    'a deployment to %s touches no database, secret or deployment of %s',
    async (environment, other, args) => {
      const databases = account();

      // CI or a shell may set this variable. Wrangler uses it as --env if none is given.
      const { code, error } = await site.fork.deploy(site.api, [...args], { CLOUDFLARE_ENV: other });

      expect({ code, error }).toEqual({ code: 0, error: '' });
      expect([...site.api.d1.asked]).toEqual([databases[environment]]);
      expect(site.api.pages.deployments(site.fork.project, environment)).toHaveLength(1);
      expect(site.api.pages.deployments(site.fork.project, other)).toEqual([]);
      const { deployment_configs } = site.api.pages.get(site.fork.project);
      expect(Object.keys(deployment_configs[environment].env_vars)).toEqual(['COOKIE_SECRET']);
      expect(deployment_configs[other].env_vars).toEqual({});
    },
  );
});

describe('older production deployments', { timeout: TEST_MILLISECONDS }, () => {
  it('older production deployments keep answering until --delete-old, which deletes those in its plan and no preview', async () => {
    account();
    site.api.pages.addPast(120, 'production');
    site.api.pages.addPast(1, 'preview');

    const first = await site.fork.deploy(site.api);
    expect(first).toMatchObject({ code: 0, error: '' });
    expect(first.out).toContain('120 older production deployments can still be reached');
    expect(first.out).toContain('"npm run deploy -- --delete-old"');
    const [older] = site.api.pages.deployments(site.fork.project, 'production');
    if (!older) throw new Error('nothing was deployed');

    const made = site.api.calls.length;
    const planned = await site.fork.deploy(site.api, ['--delete-old', '--dry-run']);
    expect(planned.out).toContain('  delete  100 of 121 older production deployments');
    expect(site.api.calls.slice(made).filter((kind) => !kind.startsWith('GET '))).toEqual([]);
    expect((await fetch(older.url)).status).toBe(200);

    const second = await site.fork.deploy(site.api, ['--delete-old']);
    expect(second).toMatchObject({ code: 0, error: '' });
    expect(second.out).toContain('21 older production deployments can still be reached');
    await expect(fetch(older.url)).rejects.toThrow();
    expect((await fetch(await site.api.pages.addressOf('production'))).status).toBe(200);
    expect(site.api.pages.deployments(site.fork.project, 'production')).toHaveLength(22);
    expect(site.api.pages.deployments(site.fork.project, 'preview')).toHaveLength(1);
  });
});
