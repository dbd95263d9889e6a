import { Agent, request } from 'node:http';
import { cpuMilliseconds } from './machine.mjs';

/** @typedef {{ method?: string, path: string, headers?: Record<string, string>, body?: string }} Request */
/** @typedef {{ perSecond: number, milliseconds: number, cpu: number, requests: number }} Slot requests a second, the median time of an answer, and workerd's CPU for one, in milliseconds */

/** @type {Map<number, Agent>} */
const agents = new Map();

/**
 * One request over a connection that is kept.
 * @param {URL} url
 * @param {Request} wanted
 * @param {number} [connections]
 * @returns {Promise<{ status: number, headers: import('node:http').IncomingHttpHeaders, body: string }>}
 */
export function ask(url, { method = 'GET', path, headers, body }, connections = 1) {
  const agent =
    agents.get(connections) ?? new Agent({ keepAlive: true, maxSockets: connections, scheduling: 'fifo' });
  agents.set(connections, agent);
  return new Promise((resolve, reject) => {
    const options = { agent, method, headers, host: url.hostname, port: url.port, path };
    const outgoing = request(options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => (text += chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
      );
      response.on('error', reject);
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/**
 * Asks again and again for some time, each connection as soon as it is answered.
 * @param {import('./worker.mjs').Worker} worker
 * @param {Request} wanted
 * @param {{ connections: number, seconds: number, status?: number, body?: string }} how another status or body is an error
 * @returns {Promise<Slot>}
 */
export async function load(worker, wanted, { connections, seconds, status = 200, body }) {
  /** @type {number[]} */
  const times = [];
  const cpuBefore = cpuMilliseconds(worker.pid);
  const startedAt = performance.now();
  const endsAt = startedAt + seconds * 1_000;
  const connection = async () => {
    for (let now = performance.now(); now < endsAt;) {
      const answer = await ask(worker.url, wanted, connections);
      if (answer.status !== status || (body !== undefined && answer.body !== body)) {
        throw new Error(
          `[bench] ${worker.name} ${wanted.path} answered ${answer.status}: ${answer.body.slice(0, 500)}`,
        );
      }
      const answeredAt = performance.now();
      times.push(answeredAt - now);
      now = answeredAt;
    }
  };
  await Promise.all(Array.from({ length: connections }, connection));
  const elapsed = performance.now() - startedAt;
  return {
    requests: times.length,
    perSecond: (times.length * 1_000) / elapsed,
    milliseconds: median(times),
    cpu: (cpuMilliseconds(worker.pid) - cpuBefore) / times.length,
  };
}

/** @param {number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = NaN, high = NaN] = [sorted[middle - 1], sorted[middle]];
  return sorted.length % 2 ? high : (low + high) / 2;
}

/** Half of what lies between the quarters, as a share of the median: how far a typical round is off. @param {number[]} values */
export function spread(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (/** @type {number} */ share) => sorted[Math.round(share * (sorted.length - 1))] ?? NaN;
  return (at(0.75) - at(0.25)) / 2 / median(values);
}
