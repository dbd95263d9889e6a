import { storesOf, withoutIds } from './config.mjs';

/**
 * What Cloudflare refuses, or takes and then fails on: found here before anything is made. Each check gives sentences
 * that say what is wrong and how to mend it; none means all is well.
 * @typedef {import('./config.mjs').Config} Config
 * @typedef {import('./config.mjs').Environment} Environment
 */

/** The sections that Pages knows (workers-sdk, validation-pages.ts), and what is not sent to it. */
const KNOWN_TO_PAGES = new Set(
  `$schema ai analytics_engine_datasets browser compatibility_date compatibility_flags d1_databases dev durable_objects env hyperdrive
   kv_namespaces limits mtls_certificates name no_bundle pages_build_output_dir placement queues r2_buckets send_metrics services
   upload_source_maps vars vectorize version_metadata`.split(/\s+/),
);

/** What people try first, and where to go instead. */
const INSTEAD = new Map([
  ['ratelimits', 'count in D1, as src/lib/server/throttle/throttle.ts does'],
  ['triggers', 'give the cron to a Worker of its own that is bound to the same stores'],
  ['main', 'a Pages project is served from pages_build_output_dir'],
  ['observability', 'watch with "npx wrangler pages deployment tail"'],
]);

const ENVIRONMENTS = ['preview', 'production'];

/** The sections whose entries an environment does not inherit. */
const NOT_INHERITED = ['kv_namespaces', 'd1_databases', 'r2_buckets', 'services', 'hyperdrive'];

/**
 * @param {Config} config of Pages, or with `workers` of a Worker, whose sections wrangler checks itself
 * @param {{ workers?: boolean }} [options]
 * @returns {string[]}
 */
export function problemsInConfig(config, { workers = false } = {}) {
  const { env = {}, ...top } = config;
  const forPages = [
    ...(config.pages_build_output_dir
      ? []
      : ['"pages_build_output_dir" is missing: set it to ".svelte-kit/cloudflare".']),
    ...Object.keys(env)
      .filter((name) => !ENVIRONMENTS.includes(name))
      .map((name) => `[env.${name}]: Pages has the environments preview and production only. Remove it.`),
    ...refusedIn(top, ''),
    ...Object.entries(env).flatMap(([name, section]) => refusedIn(section, `env.${name}.`)),
  ];
  return [
    ...(config.name ? [] : ['"name" is missing: it is what the project is called.']),
    ...(workers ? [] : forPages),
    ...Object.entries(env).flatMap(([name, section]) => missingIn(top, section, name)),
    ...(env.preview
      ? []
      : ['[env.preview] is missing: previews would work on the stores of production. Give it its own.']),
    ...(env.preview ? sharedStores(config) : []),
  ];
}

/** @param {Config} config */
function sharedStores(config) {
  const production = storesOf(config, false);
  return storesOf(config, true)
    .filter(({ kind, title, id }) =>
      production.some((other) => other.kind === kind && (other.title === title || (id && other.id === id))),
    )
    .map(({ binding }) => `${binding} of [env.preview] is production's own: give previews another one.`);
}

/**
 * @param {Environment} section
 * @param {string} path of the section, for the message
 */
function refusedIn(section, path) {
  const problems = Object.keys(section)
    .filter((key) => !KNOWN_TO_PAGES.has(key))
    .map((key) => `"${path}${key}" is not for Pages: ${INSTEAD.get(key) ?? 'remove it'}.`);
  if (section.queues?.consumers?.length) {
    problems.push(`"${path}queues.consumers" is not for Pages: consume in a Worker of its own.`);
  }
  for (const { name, script_name } of section.durable_objects?.bindings ?? []) {
    if (script_name) continue;
    problems.push(
      `"${path}durable_objects": ${name} has no script_name. Pages runs no Durable Objects itself: name the Worker that does.`,
    );
  }
  return problems;
}

/**
 * @param {Environment} top
 * @param {Environment} section
 * @param {string} name of the environment
 */
function missingIn(top, section, name) {
  const missing = NOT_INHERITED.flatMap((key) => {
    const there = namesIn(section[key]);
    return namesIn(top[key])
      .filter((binding) => !there.includes(binding))
      .map((binding) => `[[env.${name}.${key}]] ${binding}`);
  });
  const vars = Object.keys(top.vars ?? {})
    .filter((key) => !(key in (section.vars ?? {})))
    .map((key) => `[env.${name}.vars] ${key}`);
  return [...missing, ...vars].map((what) => `${what} is missing: an environment inherits none. Add it.`);
}

/** @param {unknown} entries */
function namesIn(entries) {
  return Array.isArray(entries) ? entries.map(({ binding }) => String(binding)) : [];
}

/** WebCrypto's PBKDF2 throws past this in production, and does not on this machine (workerd issue 1346). */
const PBKDF2_MAX_ITERATIONS = 100_000;
const ITERATIONS = /iterations\w*\s*[:=]\s*([\d_]+)|pbkdf2(?:Sync)?\((?:[^,()]+,){2}\s*([\d_]+)/gi;
const DEBUG_MODE = /\bdebugMode\s*:(?!\s*false\b)/;

/**
 * @param {{ path: string, text: string }[]} files the app's sources
 * @returns {string[]}
 */
export function problemsInSource(files) {
  return files.flatMap(({ path, text }) => {
    const problems = [];
    if (DEBUG_MODE.test(text)) {
      problems.push(`${path}: Lucia's debugMode writes wrong passwords into the log. Turn it off.`);
    }
    const counts = /pbkdf2/i.test(text) ? [...text.matchAll(ITERATIONS)] : [];
    for (const [, named = '', positional = ''] of counts) {
      const count = Number((named || positional).replaceAll('_', ''));
      if (count <= PBKDF2_MAX_ITERATIONS) continue;
      problems.push(
        `${path}: PBKDF2 with ${count} iterations throws on Cloudflare, which allows ${PBKDF2_MAX_ITERATIONS}. Hash as src/lib/server/accounts/password.ts does.`,
      );
    }
    return problems;
  });
}

const SHOWN_PATHS = 5;

/**
 * A deployment should be a commit. Only the ids that this script itself wrote may differ from it.
 * @param {string} status of git, `--porcelain`
 * @param {Record<string, { committed: string, current: string }>} configs the configuration files by name
 * @returns {string[]}
 */
export function problemsInTree(status, configs) {
  const changed = status
    .split('\n')
    .filter(Boolean)
    .map((line) => line.slice(3))
    .filter((path) => {
      const config = configs[path];
      return !config || withoutIds(config.committed) !== withoutIds(config.current);
    });
  if (changed.length === 0) return [];
  const shown = changed.slice(0, SHOWN_PATHS).join(', ') + (changed.length > SHOWN_PATHS ? ', …' : '');
  return [`Not committed: ${shown}. Commit, so that what is live can be found again, or add --allow-dirty.`];
}
