import { createServer } from 'node:net';
import { StepFailed } from './processes.mjs';

const HIGHEST_PORT = 65_535;

/**
 * The port in an environment variable, or `fallback` if it is not set.
 *
 * @param {string} variable
 * @param {number} fallback
 */
export function portFrom(variable, fallback) {
  const text = process.env[variable];
  if (text === undefined || text === '') return fallback;
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port <= HIGHEST_PORT) return port;
  throw new StepFailed(`${variable} is "${text}": set it to a port from 1 to ${HIGHEST_PORT}, or unset it.`);
}

/**
 * Throws `StepFailed` if the port is taken.
 *
 * @param {number} port
 * @param {string} variable that chooses another
 */
export async function requireFreePort(port, variable) {
  if (!(await isPortTaken(port))) return;
  throw new StepFailed(
    `Port ${port} is taken by another program: stop that one, or choose another port with ${variable}=${port + 11}.`,
  );
}

/**
 * Whether the port is taken, on IPv4, IPv6 or all interfaces.
 *
 * @param {number} port
 * @returns {Promise<boolean>}
 */
export async function isPortTaken(port) {
  for (const host of ['127.0.0.1', '::1', undefined]) {
    if (await isTaken(port, host)) return true;
  }
  return false;
}

/**
 * @param {number} port
 * @param {string | undefined} host
 * @returns {Promise<boolean>}
 */
function isTaken(port, host) {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (/** @type {NodeJS.ErrnoException} */ { code }) => {
      if (code === 'EACCES') reject(new StepFailed(`Port ${port} is for root alone: choose one above 1023.`));
      // Any other code means a machine without IPv6.
      else resolve(code === 'EADDRINUSE');
    });
    server.listen({ port, host }, () => server.close(() => resolve(false)));
  });
}
