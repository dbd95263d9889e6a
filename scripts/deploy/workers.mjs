import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StepFailed } from '../lib/processes.mjs';
import { callApi, deployByWrangler } from './wrangler.mjs';

/** The host Workers: how deploy.mjs deploys a Worker with static assets. Wrangler creates the Worker with its first deployment. */

const NO_SUCH_WORKER = 10_007;

/** @typedef {{ exists: boolean, secrets: string[] }} Found `secrets`: their names */

/** @type {import('./plan.mjs').Host<Found>} */
export const WORKERS = {
  config: 'wrangler.workers.toml',
  watch: 'npx wrangler tail --config wrangler.workers.toml',

  async look(target) {
    const { result, errors } = await callApi(
      'GET',
      `/workers/scripts/${encodeURIComponent(nameOf(target))}/secrets`,
      [NO_SUCH_WORKER],
    );
    /** @type {{ name: string }[]} */
    const secrets = result ?? [];
    return { exists: errors.length === 0, secrets: secrets.map(({ name }) => name) };
  },

  words: (target, { exists }) => ({
    site: [exists ? 'keep' : 'make', `Worker "${nameOf(target)}"`],
    deploy: ['deploy', `as ${target.environmentName}, with its cron`],
    after: [],
  }),

  async make() {},

  async upload(target, _, secrets) {
    const { environmentName, where } = target;
    console.log(`Deploying to ${environmentName} …`);
    const folder = mkdtempSync(join(tmpdir(), 'secrets-'));
    try {
      // Uploaded in one step with the code, so that no version runs without them. They are in a file, because every user of a machine can
      // read arguments.
      const file = join(folder, 'secrets.json');
      writeFileSync(file, JSON.stringify(secrets), { mode: 0o600 });
      const given = Object.keys(secrets).length > 0 ? ['--secrets-file', file] : [];
      /** @type {{ targets?: string[] }} */
      const { targets = [] } = await deployByWrangler(['deploy', ...where, ...given], 'deploy');
      const { result } = await callApi('GET', `/workers/workers/${encodeURIComponent(nameOf(target))}`);
      const hosts = targets.filter((one) => /^[\w.-]+$/.test(one)).map((host) => `https://${host}`);
      const url = result.subdomain.url ?? hosts[0];
      if (!url)
        throw new StepFailed('It is deployed, and has no address: set workers_dev in wrangler.workers.toml.');
      return { url, site: hosts.join(', ') || url };
    } finally {
      rmSync(folder, { recursive: true });
    }
  },

  async finish() {},
};

/** @param {import('./plan.mjs').Target} target */
function nameOf({ project, environmentName }) {
  return environmentName === 'preview' ? `${project}-preview` : project;
}
