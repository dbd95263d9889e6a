import { isPortTaken, portFrom } from '../lib/port.mjs';
import { StepFailed } from '../lib/processes.mjs';
import { broken, note, ok } from './finding.mjs';

/** @typedef {import('./finding.mjs').Finding} Finding */
/** @typedef {import('./finding.mjs').Place} Place */

/** Who listens where, and the variable that moves it. The tests take the port after theirs, too. */
const PORTS = [
  { command: 'npm start', variable: 'PORT', port: 8788, count: 1 },
  { command: 'npm run dev', variable: 'PORT', port: 5173, count: 1 },
  { command: 'npm test', variable: 'E2E_PORT', port: 8790, count: 2 },
];

/**
 * @param {Place} place
 * @returns {Promise<Finding[]>}
 */
export async function checkPorts({ env }) {
  const findings = [];
  // One after the other: PORT may mean the same port to two of them, and looking takes it for a moment.
  for (const use of PORTS) findings.push(await checkPort(use, env));
  return findings;
}

/**
 * @param {(typeof PORTS)[number]} use
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<Finding>}
 */
async function checkPort({ command, variable, port: usual, count }, env) {
  try {
    const first = portFrom(env[variable], usual);
    const ports = Array.from({ length: count }, (_, i) => first + i);
    for (const port of ports) {
      if (await isPortTaken(port)) {
        return note(
          `Port ${port} for ${command} is taken, perhaps by this project itself`,
          `stop what has it, or choose another: ${variable}=${port + 11} ${command}`,
        );
      }
    }
    return ok(`Port ${ports.join(' and ')} for ${command}: free`);
  } catch (error) {
    return whatFailed(error, `set ${variable} to a free port, or unset it`);
  }
}

/**
 * @param {Place} place
 * @returns {Promise<Finding[]>}
 */
export async function checkBrowser({ env }) {
  try {
    const { installedChromium } = await import('../lib/chromium.mjs');
    const path = installedChromium(env);
    return [
      path
        ? ok(`Chromium for the end-to-end tests: ${path}`)
        : note(
            'There is no Chromium for the end-to-end tests',
            'npm test tries to get one; or install Chromium or Chrome, or name one: CHROMIUM_PATH=/path/to/chrome',
          ),
    ];
  } catch (error) {
    return [whatFailed(error, 'CHROMIUM_PATH=/path/to/chrome npm test')];
  }
}

/**
 * @param {unknown} error
 * @param {string} mend
 */
function whatFailed(error, mend) {
  if (!(error instanceof StepFailed)) throw error;
  return broken(error.message, mend);
}
