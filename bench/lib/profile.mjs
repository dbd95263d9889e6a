import { SourceMap } from 'node:module';
import { load } from './load.mjs';

/** Where the time of a page goes, by the folder or package of the code that ran. The first that fits. */
const PARTS = /** @type {[RegExp, string][]} */ ([
  [/^\((program|idle)\)$/, 'the runtime, stores and HTTP'],
  [/^\(garbage collector\)$/, 'garbage collector'],
  [
    /server\/auth|kv-adapter|server\/(stores|meter)|chunks\/(lucia|guards|policy|accounts|sessions)\.js|node_modules\/lucia/,
    'auth: guards, adapter, Lucia',
  ],
  [/prisma/i, 'Prisma'],
  [/node_modules\/svelte|chunks\/(index-server|internal)/, "Svelte's rendering"],
  [/entries\/pages|chunks\//, "the app's components and loads"],
  [/kit|output\/server|devalue|cookie|_worker\.js/, 'Kit'],
]);

/**
 * Profiles the app's CPU under load, by the inspector of workerd.
 * @param {import('./worker.mjs').Worker} worker started with an inspector port
 * @param {import('./load.mjs').Request} wanted
 * @param {{ seconds: number, connections: number, sourceMap: string }} how `sourceMap`: JSON of the bundle's
 * @returns {Promise<[part: string, share: number][]>} the largest first
 */
export async function profile(worker, wanted, { sourceMap, ...slot }) {
  const inspector = await worker.miniflare.getInspectorURL();
  const targets = await (await fetch(new URL('/json', inspector.href.replace(/^ws/, 'http')))).json();
  const socket = new WebSocket(targets[0].webSocketDebuggerUrl);
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve);
    socket.addEventListener('error', reject);
  });
  let sent = 0;
  const send = (/** @type {string} */ method, params = {}) => {
    const id = (sent += 1);
    socket.send(JSON.stringify({ id, method, params }));
    return new Promise((resolve) => {
      const listen = (/** @type {MessageEvent} */ { data }) => {
        const message = JSON.parse(data);
        if (message.id !== id) return;
        socket.removeEventListener('message', listen);
        resolve(message.result);
      };
      socket.addEventListener('message', listen);
    });
  };
  await send('Profiler.enable');
  await send('Profiler.setSamplingInterval', { interval: 200 });
  await send('Profiler.start');
  await load(worker, wanted, slot);
  const { profile: taken } = await send('Profiler.stop');
  socket.close();
  return shares(taken, new SourceMap(JSON.parse(sourceMap)));
}

/**
 * @param {{ nodes: { id: number, callFrame: { functionName: string, url: string, lineNumber: number, columnNumber: number } }[], samples: number[] }} taken
 * @param {SourceMap} map
 * @returns {[string, number][]}
 */
function shares({ nodes, samples }, map) {
  const partOf = new Map(
    nodes.map(({ id, callFrame: { functionName, url, lineNumber, columnNumber } }) => {
      const entry = url === '' ? {} : map.findEntry(lineNumber, columnNumber);
      const source = 'originalSource' in entry ? entry.originalSource : functionName || url;
      return [id, PARTS.find(([form]) => form.test(source))?.[1] ?? 'the rest of the runtime'];
    }),
  );
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const id of samples) {
    const part = partOf.get(id) ?? 'unknown';
    counts.set(part, (counts.get(part) ?? 0) + 1 / samples.length);
  }
  return [...counts].sort(([, a], [, b]) => b - a);
}
