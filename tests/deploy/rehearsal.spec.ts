import { randomUUID } from 'node:crypto';
import { expect } from '@playwright/test';
import { changesIn, PROJECT, signIn, test, TEST_MILLISECONDS } from './rehearsal';

/** From a clone to a live site on Pages. Deployments as a Worker and their failures are in rehearsal.deep.spec.ts. */
test.describe.configure({ timeout: TEST_MILLISECONDS });

test('one command creates a live site on Pages, where a visitor can sign up and in', async ({
  api,
  fork,
}) => {
  const { code, out, error } = await fork.deploy(api);

  expect({ code, error }).toEqual({ code: 0, error: '' });
  expect(out).toContain(
    `make    D1 database "${fork.project}" (DB), location automatic: near this machine (--location`,
  );
  expect(out).toContain('a sign-in takes about 65 ms');
  expect(changesIn(api)).toContain(`POST ${PROJECT}/deployments`);
  expect(Object.keys(api.pages.get(fork.project).deployment_configs.production.env_vars)).toEqual([
    'COOKIE_SECRET',
  ]);
  await signIn(await api.pages.addressOf('production'));
});

test('a deployment that could not work is refused before anything is requested or created', async ({
  api,
  fork,
}) => {
  await test.step('a tree that is not committed', async () => {
    fork.write('src/new.ts', 'export const hasher = { debugMode: true };\n');
    const { code, error } = await fork.deploy(api);
    expect(code).toBe(1);
    expect(error).toContain('Not committed: src/new.ts.');
    expect(error).toContain("src/new.ts: Lucia's debugMode writes wrong passwords into the log.");
  });
  await test.step('what Pages refuses', async () => {
    fork.write('src/new.ts', '');
    fork.write('wrangler.toml', `${fork.wranglerToml}\n[triggers]\ncrons = ["0 * * * *"]\n`);
    const { code, error } = await fork.deploy(api, ['--allow-dirty']);
    expect(code).toBe(1);
    expect(error).toContain('triggers" is not for Pages');
    expect(error).not.toContain('Not committed');
  });
  await test.step('an id of another account', async () => {
    fork.git('checkout', '--', 'wrangler.toml');
    fork.write('wrangler.toml', fork.wranglerToml.replace(/"0{8}-[0-9-]+0"/, `"${randomUUID()}"`));
    api.pages.create({ name: fork.project, production_branch: 'main' });
    const { code, error } = await fork.deploy(api, ['--allow-dirty']);
    expect(code).toBe(1);
    expect(error).toContain(
      'What to do: wrangler.toml holds an id that is not in this account, as after a fork.',
    );
  });
});
