import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './processes.mjs';

/**
 * The environment that the tools run in: no telemetry, no update notices, no questions, logs inside the project.
 * What the caller has set wins.
 * @returns {NodeJS.ProcessEnv}
 */
export function toolEnvironment() {
  return {
    WRANGLER_SEND_METRICS: 'false',
    WRANGLER_SEND_ERROR_REPORTS: 'false',
    WRANGLER_HIDE_BANNER: 'true',
    WRANGLER_LOG_PATH: join(ROOT, '.wrangler/logs'),
    CLOUDFLARE_CF_FETCH_PATH: emptyRequestCf(),
    // A third of the time that wrangler takes to start is spent on compiling itself.
    NODE_COMPILE_CACHE: join(ROOT, '.wrangler/compile-cache'),
    CHECKPOINT_DISABLE: '1',
    PRISMA_HIDE_UPDATE_MESSAGE: '1',
    ...process.env,
  };
}

/**
 * A `request.cf` that knows no place. Without it wrangler asks a server for the caller's own location, and when that
 * server cannot be reached every local visitor is from Austin, Texas. Written anew each time: wrangler ignores a file
 * older than 30 days.
 */
function emptyRequestCf() {
  const file = join(ROOT, '.wrangler/request-cf.json');
  mkdirSync(join(ROOT, '.wrangler'), { recursive: true });
  // In one step: several commands may start at once.
  const written = `${file}.${process.pid}`;
  writeFileSync(written, '{}\n');
  renameSync(written, file);
  return file;
}
