import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './processes.mjs';

/**
 * The environment for the tools: no telemetry, no update notices, no questions, logs inside the project. The caller's own variables take
 * precedence.
 *
 * @returns {NodeJS.ProcessEnv}
 */
export function toolEnvironment() {
  return {
    WRANGLER_SEND_METRICS: 'false',
    WRANGLER_SEND_ERROR_REPORTS: 'false',
    WRANGLER_HIDE_BANNER: 'true',
    WRANGLER_LOG_PATH: join(ROOT, '.wrangler/logs'),
    CLOUDFLARE_CF_FETCH_PATH: emptyRequestCf(),
    // wrangler spends a third of its start-up time on compiling itself.
    NODE_COMPILE_CACHE: join(ROOT, '.wrangler/compile-cache'),
    CHECKPOINT_DISABLE: '1',
    PRISMA_HIDE_UPDATE_MESSAGE: '1',
    ...process.env,
  };
}

/**
 * A `request.cf` without a place. Without this file, wrangler asks a server for the caller's own location, and if that server cannot be
 * reached, every local visitor is in Austin, Texas. The file is written each time, because wrangler ignores one that is older than 30 days.
 */
function emptyRequestCf() {
  const file = join(ROOT, '.wrangler/request-cf.json');
  mkdirSync(join(ROOT, '.wrangler'), { recursive: true });
  // Written in one step, because several commands may start at the same time.
  const written = `${file}.${process.pid}`;
  writeFileSync(written, '{}\n');
  renameSync(written, file);
  return file;
}
