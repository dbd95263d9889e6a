/**
 * `npm run test:e2e [-- playwright's arguments]`: the end-to-end tests against the built app. Finds or installs a Chromium. SKIP_BUILD=1
 * uses the existing build.
 */
import { requireChromium, wantFullChromium } from './lib/chromium.mjs';
import { exitOf, main, startTool } from './lib/processes.mjs';
import { build, generateClient } from './lib/steps.mjs';

await main(async () => {
  const chromium = await requireChromium();
  await wantFullChromium();
  console.log(`Chromium: ${chromium ?? "Playwright's own"}`);
  if (process.env.SKIP_BUILD !== '1') {
    await generateClient();
    await build();
  }
  const env = chromium ? { CHROMIUM_PATH: chromium } : {};
  return exitOf(startTool('playwright', ['test', ...process.argv.slice(2)], { env }));
});
