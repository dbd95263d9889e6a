/**
 * `npm run doctor`: finds what people trip over on a machine of their own, and prints the fix. Ends with 1 when something is broken.
 * It runs where nothing else does: on an old Node, without node_modules. So nothing but Node's own modules is imported before that is known.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { command } from './lib/command.mjs';
import { isPortTaken, portFrom } from './lib/port.mjs';
import { configProblems, packagesProblem } from './lib/preflight.mjs';
import { ROOT, StepFailed } from './lib/processes.mjs';
import { E2E_PORT, STATE_FOLDER } from './lib/steps.mjs';
import { wrangler } from './lib/stores.mjs';

const usage = `Usage: npm run doctor
Looks at Node, the installed packages, wrangler.toml, the local secret, the ports and the local database, and prints the fix for what
is broken (✗) or worth knowing (!).`;

const SECRET_MIN_CHARACTERS = 32;
/** The tests take the port after theirs, too. */
const PORTS = [
  { script: 'npm start', variable: 'PORT', usual: 8788, count: 1 },
  { script: 'npm run dev', variable: 'PORT', usual: 5173, count: 1 },
  { script: 'npm test', variable: 'E2E_PORT', usual: E2E_PORT, count: 2 },
];

await command({ usage, needs: 'nothing' }, async () => {
  let healthy = true;
  /** @type {Say} */
  const say = (mark, text, mend = '') => {
    healthy &&= mark !== '✗';
    console.log(`${mark} ${text}${mend && `\n    → ${mend}`}`);
  };
  checkNode(say);
  checkPackages(say);
  checkSecret(say);
  await checkPorts(say);
  if (healthy) {
    const problems = await configProblems(ROOT, { previews: true });
    for (const { text, mend } of problems) say('✗', text, mend);
    if (problems.length === 0) {
      say('✓', 'wrangler.toml has the bindings of production and of previews');
      await checkDatabase(say);
    }
  }
  console.log(
    healthy ? '\nNothing is broken.' : '\nMend what is marked ✗, from the top, and run this again.',
  );
  return healthy ? 0 : 1;
});

/** @typedef {(mark: '✓' | '!' | '✗', text: string, mend?: string) => void} Say */

/** The Node that npm runs on: the scripts run on another, a package. @param {Say} say */
function checkNode(say) {
  const running =
    /\bnode\/v(\S+)/.exec(process.env.npm_config_user_agent ?? '')?.[1] ?? process.versions.node;
  const wanted = /\d+/.exec(readJson('package.json')?.engines.node ?? '')?.[0] ?? '0';
  if (Number.parseInt(running, 10) >= Number(wanted)) return say('✓', `Node ${running} runs npm`);
  say('✗', `Node ${running} is too old for this project`, `install Node ${wanted} or newer: nodejs.org`);
}

/** Whether node_modules is what package-lock.json says, by npm's own note of what it installed. @param {Say} say */
function checkPackages(say) {
  const problem = packagesProblem(ROOT);
  if (problem) return say('✗', problem.text, problem.mend);
  const [lock, installed] = ['package-lock.json', 'node_modules/.package-lock.json'].map(readJson);
  if (!lock) return say('✗', 'package-lock.json cannot be read', 'git checkout package-lock.json');
  const [wanted, there] = [lock.packages, installed?.packages ?? {}];
  const named = Object.keys(there).find((path) => there[path].version !== wanted[path]?.version);
  // What belongs to another system is in the lock file, and not here.
  const missing = Object.keys(wanted).find(
    (path) => path && !there[path] && !['optional', 'devOptional', 'peer'].some((kind) => wanted[path][kind]),
  );
  const wrong = named ?? missing;
  if (!wrong) return say('✓', 'The installed packages are those of package-lock.json');
  const name = wrong.replace(/^.*node_modules\//, '');
  say('✗', `The installed packages are not those of package-lock.json: ${name}, for one`, 'npm ci');
}

/** @param {Say} say */
function checkSecret(say) {
  const file = join(ROOT, '.dev.vars');
  if (!existsSync(file)) return say('!', 'There is no .dev.vars, the local secret: npm start makes it');
  const text = readFileSync(file, 'utf8');
  const secret = /^\s*COOKIE_SECRET\s*=\s*["']?(.*?)["']?\s*$/m.exec(text)?.[1] ?? '';
  if (secret.length >= SECRET_MIN_CHARACTERS && !secret.includes(' '))
    return say('✓', '.dev.vars has its secret');
  say(
    '!',
    '.dev.vars has no COOKIE_SECRET of 32 random bytes',
    'delete that line, and npm start makes a good one',
  );
}

/** @param {Say} say */
async function checkPorts(say) {
  for (const { script, variable, usual, count } of PORTS) {
    try {
      const first = portFrom(variable, usual);
      const ports = Array.from({ length: count }, (_, i) => first + i);
      const taken = (await Promise.all(ports.map(isPortTaken))).indexOf(true);
      if (taken < 0) say('✓', `Port ${ports.join(' and ')} for ${script}: free`);
      else
        say(
          '!',
          `Port ${ports[taken]} for ${script} is taken, perhaps by this project itself`,
          `stop what has it, or choose another: ${variable}=${first + 11} ${script}`,
        );
    } catch (error) {
      say('✗', messageOf(error), `unset ${variable}`);
    }
  }
}

/** @param {Say} say */
async function checkDatabase(say) {
  const stateFolder = join(ROOT, STATE_FOLDER);
  if (!existsSync(stateFolder)) return say('!', 'There is no local database yet: npm start makes it');
  try {
    const list = await wrangler({ remote: false, preview: false, stateFolder }, [
      'd1',
      'migrations',
      'list',
      'DB',
    ]);
    const pending = readdirSync(join(ROOT, 'prisma/migrations')).filter((name) => list.includes(name));
    if (pending.length === 0) return say('✓', 'The local database has every migration');
    say(
      '!',
      `The local database is without ${pending.join(', ')}`,
      'npm run db:migrate (npm start does it, too)',
    );
  } catch (error) {
    say(
      '✗',
      `The local database cannot be read: ${messageOf(error)}`,
      `delete ${STATE_FOLDER}, and the local accounts with it`,
    );
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
