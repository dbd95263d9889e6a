import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { toolEnvironment } from './environment.mjs';

/** The tools that the scripts start, as files under node_modules. They run on the Node that runs the script. */
const TOOLS = {
  playwright: '@playwright/test/cli.js',
  prisma: 'prisma/build/index.js',
  typescript: 'typescript/bin/tsc',
  vite: 'vite/bin/vite.js',
  vitest: 'vitest/vitest.mjs',
  wrangler: 'wrangler/bin/wrangler.js',
};

const GRACE_MILLISECONDS = 3_000;
const POLL_MILLISECONDS = 50;
const PARENT_WATCH_MILLISECONDS = 1_000;

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();

/** A step that failed and whose message says why. */
export class StepFailed extends Error {}

/**
 * Starts a command in its own process group, so that the processes it starts in turn (wrangler: workerd and esbuild) can be ended with it.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').SpawnOptions} options
 */
export function start(command, args, options) {
  const child = spawn(command, args, { cwd: ROOT, detached: process.platform !== 'win32', ...options });
  running.add(child);
  child.once('exit', () => {
    // Other processes of its group may outlive it. The group is done only when it is empty.
    if (!signalGroup(child, 0)) running.delete(child);
  });
  return child;
}

/**
 * Like `start`, for one of TOOLS. By default it runs in the tools' environment, to which `env` adds, and prints to this script's own
 * output.
 *
 * @param {keyof typeof TOOLS} tool
 * @param {string[]} args
 * @param {import('node:child_process').SpawnOptions} [options]
 */
export function startTool(tool, args, { env, ...options } = {}) {
  return start(process.execPath, [join(ROOT, 'node_modules', TOOLS[tool]), ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...toolEnvironment(), ...env },
    ...options,
  });
}

/**
 * Resolves with the exit code of a child (1 if a signal ended it).
 *
 * @param {import('node:child_process').ChildProcess} child
 * @returns {Promise<number>}
 */
export function exitOf(child) {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

/**
 * Runs a tool to its end and keeps what it prints.
 * @param {keyof typeof TOOLS} tool
 * @param {string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, input?: string, cwd?: string }} [options] `env` adds to that of the tools; `input` goes to its standard input
 * @returns {Promise<{ code: number, out: string, error: string }>}
 */
export async function outputOf(tool, args, { input, ...options } = {}) {
  const child = startTool(tool, args, {
    ...options,
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  child.stdin?.end(input);
  const [code, out, error] = await Promise.all([
    exitOf(child),
    child.stdout ? text(child.stdout) : '',
    child.stderr ? text(child.stderr) : '',
  ]);
  return { code, out, error };
}

/**
 * Runs a tool silently. If it fails, throws `StepFailed` with what it printed.
 *
 * @param {keyof typeof TOOLS} tool
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [env] adds to that of the tools
 */
export async function runQuietly(tool, args, env) {
  const { code, out, error } = await outputOf(tool, args, { env });
  if (code !== 0) throw new StepFailed(`${out}${error}"${tool} ${args.join(' ')}" ended with code ${code}.`);
}

/** Ends every process group that this script started: first with SIGTERM and, after a grace period, with SIGKILL. */
export async function stopAll() {
  for (const child of running) signalGroup(child, 'SIGTERM');
  const deadline = Date.now() + GRACE_MILLISECONDS;
  while ([...running].some((child) => signalGroup(child, 0)) && Date.now() < deadline)
    await delay(POLL_MILLISECONDS);
  for (const child of running) signalGroup(child, 'SIGKILL');
}

/**
 * Runs a script's body so that nothing it started outlives it, however it ends: by itself, by an error or by Ctrl-C.
 *
 * @param {() => Promise<number | void>} body returns the exit code
 */
export async function main(body) {
  process.on('exit', () => {
    for (const child of running) signalGroup(child, 'SIGKILL');
  });
  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    void stopAll().then(() => process.exit(0));
  };
  // The parent may be killed without a signal to this process.
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && stop(), PARENT_WATCH_MILLISECONDS).unref();
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    // In a terminal, Ctrl-C arrives twice: from the terminal, and passed on by npm.
    process.on(signal, stop);
  }
  try {
    const code = await body();
    if (stopping) return;
    await stopAll();
    process.exit(code ?? 0);
  } catch (error) {
    if (stopping) return;
    console.error(error instanceof StepFailed ? error.message : error);
    await stopAll();
    process.exit(1);
  }
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @param {NodeJS.Signals | 0} signal 0 asks whether anyone is there
 * @returns {boolean} whether the group still had a member
 */
export function signalGroup(child, signal) {
  if (child.pid === undefined) return false;
  if (process.platform === 'win32') {
    // Windows has no process groups; taskkill ends a process tree.
    const alive = child.exitCode === null && child.signalCode === null;
    if (alive && signal !== 0) spawn('taskkill', ['/pid', `${child.pid}`, '/t', '/f'], { stdio: 'ignore' });
    return alive;
  }
  try {
    process.kill(-child.pid, signal);
    return true;
  } catch {
    return false;
  }
}
