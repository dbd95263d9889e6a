/** `npm run db:migrate`: applies prisma/migrations to the local D1. For the real one see README.md, "Deploy". */
import { main } from './lib/processes.mjs';
import { migrate, STATE_FOLDER } from './lib/steps.mjs';

await main(async () => {
  await migrate(STATE_FOLDER);
  console.log(`The D1 under ${STATE_FOLDER} is up to date.`);
});
