import { StepFailed } from '../lib/processes.mjs';
import { failure, jsonIn, succeed } from './wrangler.mjs';

/**
 * What no command of wrangler says of a Pages project: asked of Cloudflare's API itself, with wrangler's sign-in.
 * Each function throws `StepFailed` with what the API said and what to do about it.
 */

const API = process.env.CLOUDFLARE_API_BASE_URL ?? 'https://api.cloudflare.com/client/v4';
const ANSWER_WITHIN_MILLISECONDS = 30_000;
const NO_SUCH_PROJECT = 8_000_007;
/** The most deployments that the API lists at a time. */
const DEPLOYMENTS_ON_A_PAGE = 25;

/**
 * @typedef {{ production_branch: string, deployment_configs: Record<string, { env_vars?: Record<string, { type: string } | null> | null }> }} Project
 *
 * @param {string} project
 * @param {'preview' | 'production'} environment
 * @returns {Promise<{ productionBranch: string, secrets: string[] } | null>} the names of the environment's secrets; null when
 * there is no such project
 */
export async function projectState(project, environment) {
  /** @type {{ result: Project | null }} */
  const { result } = await call('GET', pathOf(project), [NO_SUCH_PROJECT]);
  if (!result) return null;
  const { production_branch, deployment_configs } = result;
  const variables = Object.entries(deployment_configs[environment]?.env_vars ?? {});
  return {
    productionBranch: production_branch,
    secrets: variables.flatMap(([name, variable]) => (variable?.type === 'secret_text' ? [name] : [])),
  };
}

/**
 * @param {string} project
 * @param {number} most how many ids are wanted
 * @returns {Promise<{ ids: string[], total: number }>} the production deployments, the newest first, and how many there are
 */
export async function productionDeployments(project, most) {
  /** @type {string[]} */
  const ids = [];
  for (let page = 1; ; page++) {
    const query = `?env=production&page=${page}&per_page=${DEPLOYMENTS_ON_A_PAGE}`;
    /** @type {{ result: { id: string }[], result_info?: { total_count?: number } }} */
    const { result, result_info } = await call('GET', `${pathOf(project)}/deployments${query}`);
    for (const { id } of result) ids.push(id);
    if (result.length < DEPLOYMENTS_ON_A_PAGE || ids.length >= most) {
      return { ids: ids.slice(0, most), total: result_info?.total_count ?? ids.length };
    }
  }
}

/**
 * Deletes a deployment, also one that a branch's own address still leads to. Cloudflare refuses the one that is live.
 * @param {string} project
 * @param {string} id
 */
export async function deleteDeployment(project, id) {
  await call('DELETE', `${pathOf(project)}/deployments/${id}?force=true`);
}

/** @param {string} project */
function pathOf(project) {
  return `/accounts/${process.env.CLOUDFLARE_ACCOUNT_ID}/pages/projects/${encodeURIComponent(project)}`;
}

/**
 * @template T what is asked for
 * @param {'GET' | 'DELETE'} method
 * @param {string} path
 * @param {number[]} [expected] the codes of errors that the caller answers itself
 * @returns {Promise<{ result: T, errors: { code: number, message: string }[], result_info?: { total_count?: number } }>}
 */
async function call(method, path, expected = []) {
  const headers = { authorization: `Bearer ${await token()}` };
  const request = { method, headers, signal: AbortSignal.timeout(ANSWER_WITHIN_MILLISECONDS) };
  try {
    const response = await fetch(API + path, request);
    /** @type {Awaited<ReturnType<typeof call<T>>>} */
    const answer = await response.json();
    if (answer.errors.every(({ code }) => expected.includes(code))) return answer;
    const said = answer.errors.map(({ code, message }) => `${message} [code: ${code}]`).join('\n');
    throw failure(`${method} ${path}`, said);
  } catch (error) {
    if (error instanceof StepFailed) throw error;
    throw failure(`${method} ${path}`, `fetch failed: ${error instanceof Error ? error.message : error}`);
  }
}

/** @returns {Promise<string>} what wrangler signs in with: the token that was given to it, or that of its own sign-in */
async function token() {
  if (process.env.CLOUDFLARE_API_TOKEN) return process.env.CLOUDFLARE_API_TOKEN;
  // Its log files repeat what it prints.
  const out = await succeed(['auth', 'token', '--json'], { env: { WRANGLER_WRITE_LOGS: 'false' } });
  return jsonIn(out, '{').token;
}
