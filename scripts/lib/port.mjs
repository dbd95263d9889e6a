import { createServer } from 'node:net';
import { StepFailed } from './processes.mjs';

const HIGHEST_PORT = 65_535;

/**
 * Reads a port number; `fallback` when there is none.
 * @param {string | undefined} text
 * @param {number} fallback
 */
export function portFrom(text, fallback) {
  if (text === undefined || text === '') return fallback;
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port <= HIGHEST_PORT) return port;
  throw new StepFailed(
    `PORT is "${text}": give a number from 1 to ${HIGHEST_PORT}, as in "PORT=8799 npm start".`,
  );
}

/**
 * Throws a plain message when something already has the port, on IPv4, IPv6 or all interfaces.
 * @param {number} port
 */
export async function requireFreePort(port) {
  if (await isPortTaken(port)) {
    throw new StepFailed(
      `Port ${port} is taken by another program. Stop that one, or choose another port: "PORT=${port + 11} npm start".`,
    );
  }
}

/**
 * Whether something has the port, on IPv4, IPv6 or all interfaces.
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
    server.once('error', (/** @type {NodeJS.ErrnoException} */ error) => {
      if (error.code === 'EADDRINUSE') return resolve(true);
      // A machine without IPv6.
      if (error.code === 'EADDRNOTAVAIL' || error.code === 'EAFNOSUPPORT') return resolve(false);
      if (error.code === 'EACCES')
        return reject(new StepFailed(`Port ${port} needs more rights than you have: choose one above 1023.`));
      reject(error);
    });
    server.listen({ port, host }, () => server.close(() => resolve(false)));
  });
}
