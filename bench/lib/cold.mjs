import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startBareWorker } from '../../tests/bare/bare-worker.mjs';
import { newSession, person } from '../../tests/bare/people.mjs';
import { startStores } from '../../tests/bare/store-servers.mjs';
import { visit } from '../../tests/bare/visitor.mjs';
import { bundle } from './bundle.mjs';

const USER = person(1);
let leftOut = 0;

/** The same app with nothing of Prisma in it. @type {import('esbuild').Plugin} */
const withoutPrisma = {
  name: 'without-prisma',
  setup({ onLoad }) {
    onLoad({ filter: /chunks\/prisma\.js$/ }, () => {
      leftOut += 1;
      return { contents: 'export {}' };
    });
  },
};

/**
 * From the start of a bare workerd to its first answer, a start page that greets who is signed in.
 * The two builds in turn.
 * @param {number} rounds
 * @returns {Promise<{ app: number[], bare: number[] }>} milliseconds of the app, and of the same without Prisma
 */
export async function coldStarts(rounds) {
  const folder = await mkdtemp(join(tmpdir(), 'cold-'));
  const stores = await startStores({ kvMilliseconds: 0, d1Milliseconds: 0 });
  const { key, json, cookie } = newSession(USER);
  stores.records.set(key, { value: json, metadata: json });
  stores.db.prepare('INSERT INTO User (id, username) VALUES (?, ?)').run(USER.id, USER.username);
  try {
    const app = await writeBundle(join(folder, 'app'), []);
    const bare = await writeBundle(join(folder, 'bare'), [withoutPrisma]);
    if (leftOut !== 1) throw new Error(`[bench] ${leftOut} modules were left out as Prisma's, not one`);
    /** @type {{ app: number[], bare: number[] }} */
    const times = { app: [], bare: [] };
    for (let round = 0; round <= rounds; round += 1) {
      for (const [name, bundled] of Object.entries({ app, bare })) {
        const startedAt = performance.now();
        const worker = await startBareWorker(bundled, stores);
        const body = await (await visit(worker.origin, '/', { cookie })).text();
        const time = performance.now() - startedAt;
        await worker.stop();
        if (!body.includes(USER.username))
          throw new Error(`[bench] a cold start answered ${body.slice(0, 300)}`);
        // The first time the files come from the disk.
        if (round > 0) times[name === 'app' ? 'app' : 'bare'].push(time);
      }
    }
    return times;
  } finally {
    await stores.stop();
    await rm(folder, { recursive: true });
  }
}

/**
 * @param {string} folder
 * @param {import('esbuild').Plugin[]} plugins
 */
async function writeBundle(folder, plugins) {
  await mkdir(folder);
  for (const { type, path, contents } of await bundle('.svelte-kit/cloudflare/_worker.js', plugins)) {
    await writeFile(join(folder, type === 'ESModule' ? '_worker.js' : path), contents);
  }
  return folder;
}
