/**
 * `npm run doctor`: finds common setup problems and prints the fix. Exits with 1 if something is broken. It must run where nothing else
 * does: on an old Node, without node_modules. So it imports only Node's own modules until it knows more.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openStores } from './admin/stores.mjs';
import { command } from './lib/command.mjs';
import { isPortTaken, portFrom } from './lib/port.mjs';
import { configProblems, packagesProblem } from './lib/preflight.mjs';
import { ROOT, StepFailed } from './lib/processes.mjs';
import { E2E_PORT, E2E_SERVERS, STATE_FOLDER } from './lib/steps.mjs';

const usage = `Usage: npm run doctor
Looks at Node, the installed packages, wrangler.toml, the local secret, the ports and the local database, and prints the fix for what
is broken (✗) or worth knowing (!).`;

/** The oldest Node on which `npm ci` was seen to work, with warnings. */
const NODE_STILL_WORKS = 20;
const SECRET_MIN_CHARACTERS = 32;
/** The tests also use the ports after their first. */
const PORTS = /** @type {const} */ ([
  ['npm start', 'PORT', 8788, 1],
  ['npm run dev', 'PORT', 5173, 1],
  ['npm test', 'E2E_PORT', E2E_PORT, E2E_SERVERS.length],
]);

let healthy = true;

/** @param {'✓' | '!' | '✗'} mark @param {string} text @param {string} [mend] */
function say(mark, text, mend) {
  healthy &&= mark !== '✗';
  console.log(`${mark} ${text}${mend ? `\n    → ${mend}` : ''}`);
}

await command({ usage, needs: 'nothing' }, async () => {
  checkNode();
  checkPackages();
  checkSecret();
  for (const port of PORTS) await checkPort(...port);
  if (healthy) {
    for (const file of ['wrangler.toml', 'wrangler.workers.toml']) {
      const problems = await configProblems(ROOT, { file, previews: true });
      for (const { text, mend } of problems) say('✗', text, mend);
      if (problems.length === 0) say('✓', `${file} has the bindings of production and of previews`);
    }
  }
  if (healthy) await checkDatabase();
  console.log(
    healthy ? '\nNothing is broken.' : '\nMend what is marked ✗, from the top, and run this again.',
  );
  return healthy ? 0 : 1;
});

/** Checks the Node that npm runs on. The scripts run on another one, which is a package. */
function checkNode() {
  const npms = /\bnode\/v(\S+)/.exec(process.env.npm_config_user_agent ?? '')?.[1];
  const running = npms ?? process.versions.node;
  const wanted = /\d+/.exec(readJson('package.json')?.engines.node ?? '')?.[0] ?? '0';
  const major = Number.parseInt(running, 10);
  const mend = `install Node ${wanted} or newer: nodejs.org`;
  if (major >= Number(wanted)) say('✓', `Node ${running} runs npm`);
  else if (major >= NODE_STILL_WORKS)
    say('!', `Node ${running} still works here, and is no longer mended`, mend);
  else say('✗', `Node ${running} is too old for this project`, mend);
}

/** Whether node_modules matches package-lock.json, according to npm's own record of what it installed. */
function checkPackages() {
  const problem = packagesProblem(ROOT);
  if (problem) return say('✗', problem.text, problem.mend);
  const [wanted, there] = ['package-lock.json', 'node_modules/.package-lock.json'].map(
    (path) => readJson(path)?.packages,
  );
  if (!wanted) return say('✗', 'package-lock.json cannot be read', 'git checkout package-lock.json');
  const changed = Object.keys(there ?? {}).find((path) => there[path].version !== wanted[path]?.version);
  // Packages for other systems are in the lock file but not installed here.
  const missing = Object.entries(wanted).find(
    ([path, { optional, devOptional, peer }]) => path && !there?.[path] && !optional && !devOptional && !peer,
  );
  const wrong = changed ?? missing?.[0];
  if (!wrong) return say('✓', 'The installed packages are those of package-lock.json');
  const name = wrong.replace(/^.*node_modules\//, '');
  say('✗', `The installed packages are not those of package-lock.json: ${name}, for one`, 'npm ci');
}

function checkSecret() {
  const file = join(ROOT, '.dev.vars');
  if (!existsSync(file)) return say('!', 'There is no .dev.vars, the local secret: npm start makes it');
  const secret = /^\s*COOKIE_SECRET\s*=\s*["']?(\S*?)["']?\s*$/m.exec(readFileSync(file, 'utf8'))?.[1];
  if (secret && secret.length >= SECRET_MIN_CHARACTERS) return say('✓', '.dev.vars has its secret');
  const text = '.dev.vars has no COOKIE_SECRET of 32 random bytes';
  say('!', text, 'delete that line, and npm start makes a good one');
}

/** @param {string} script @param {string} variable @param {number} usual @param {number} count */
async function checkPort(script, variable, usual, count) {
  try {
    const first = portFrom(variable, usual);
    const ports = Array.from({ length: count }, (_, i) => first + i);
    const taken = (await Promise.all(ports.map(isPortTaken))).indexOf(true);
    if (taken < 0) return say('✓', `Port ${ports.join(' and ')} for ${script}: free`);
    const text = `Port ${ports[taken]} for ${script} is taken, perhaps by this project itself`;
    say('!', text, `stop what has it, or choose another: ${variable}=${first + 11} ${script}`);
  } catch (error) {
    say('✗', messageOf(error), `unset ${variable}`);
  }
}

async function checkDatabase() {
  const stateFolder = join(ROOT, STATE_FOLDER);
  if (!existsSync(stateFolder)) return say('!', 'There is no local database yet: npm start makes it');
  try {
    const list = await openStores({ remote: false, preview: false, stateFolder }).pendingMigrations();
    const pending = readdirSync(join(ROOT, 'prisma/migrations')).filter((name) => list.includes(name));
    if (pending.length === 0) return say('✓', 'The local database has every migration');
    const text = `The local database is without ${pending.join(', ')}`;
    say('!', text, 'npm run db:migrate (npm start does it, too)');
  } catch (error) {
    const text = `The local database cannot be read: ${messageOf(error)}`;
    say('✗', text, `delete ${STATE_FOLDER}, and the local accounts with it`);
  }
}

/** @param {unknown} error */
function messageOf(error) {
  if (error instanceof StepFailed) return error.message;
  throw error;
}

/** @param {string} path */
function readJson(path) {
  try {
    return JSON.parse(readFileSync(join(ROOT, path), 'utf8'));
  } catch {
    return null;
  }
}
