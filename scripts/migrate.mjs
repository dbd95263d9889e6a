/** `npm run db:migrate`: applies prisma/migrations to the local D1. For the deployed one see README.md, "Deploy". */
import { command } from './lib/command.mjs';
import { migrate, STATE_FOLDER } from './lib/steps.mjs';

const usage =
  'Usage: npm run db:migrate\nApplies prisma/migrations to the local D1. The deployed one: npm run deploy.';

await command({ usage }, async () => {
  await migrate(STATE_FOLDER);
  console.log(`The D1 under ${STATE_FOLDER} is up to date.`);
});
