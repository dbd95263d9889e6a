/** `npm run dev`: `vite dev` with hot reload, on the same local KV and D1 as `npm start`. PORT chooses the port. */
import { toolEnvironment } from './lib/environment.mjs';
import { portFrom } from './lib/port.mjs';
import { exitOf, main, startTool } from './lib/processes.mjs';
import { ensureDevVars, generateClient, migrate, STATE_FOLDER } from './lib/steps.mjs';

const DEFAULT_PORT = 5173;

await main(async () => {
  const port = portFrom(process.env.PORT, DEFAULT_PORT);
  await generateClient();
  ensureDevVars();
  await migrate(STATE_FOLDER);
  const vite = startTool('vite', ['dev', '--port', String(port), '--strictPort'], {
    env: toolEnvironment(),
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return await exitOf(vite);
});
