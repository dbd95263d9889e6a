/** docs/scale.md must match what bench/scale generates from its last results and from the operation counts that the tests check. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { render } from '../../bench/scale/page.mjs';

const readText = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

it('docs/scale.md is up to date, and so is its plot', async () => {
  const { page, plot } = await render((name) =>
    Promise.resolve(JSON.parse(readText(`bench/scale/results/${name}.json`))),
  );
  expect(readText('docs/scale.md'), 'run "npm run bench:scale"').toBe(page);
  expect(readText('docs/images/scale-visibility.svg')).toBe(plot);
});
