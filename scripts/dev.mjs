/** `npm run dev`: `vite dev` with hot reload, on the same local KV and D1 as `npm start`. */
import { command } from './lib/command.mjs';
import { portFrom, requireFreePort } from './lib/port.mjs';
import { exitOf, startTool } from './lib/processes.mjs';
import { ensureDevVars, generateClient, migrate, STATE_FOLDER } from './lib/steps.mjs';

const DEFAULT_PORT = 5173;

const usage = `Usage: npm run dev
Serves the app from its sources with hot reload, on the local KV and D1 of npm start. Ctrl-C stops it.

  PORT=3000 npm run dev   on another port than ${DEFAULT_PORT}`;

await command({ usage }, async () => {
  const port = portFrom('PORT', DEFAULT_PORT);
  await requireFreePort(port, 'PORT');
  await generateClient();
  ensureDevVars();
  await migrate(STATE_FOLDER);
  return exitOf(startTool('vite', ['dev', '--port', String(port), '--strictPort']));
});
