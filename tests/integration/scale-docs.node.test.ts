/** docs/scale.md must match what bench/scale generates from its last results and from the operation counts that the tests check. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { render } from '../../bench/scale/page.mjs';
import { rows, type Rows } from '../../bench/scale/rows';

const readText = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

it('docs/scale.md is up to date, and so is its plot', async () => {
  const { page, plot } = await render((name) =>
    Promise.resolve(JSON.parse(readText(`bench/scale/results/${name}.json`))),
  );
  expect(readText('docs/scale.md'), 'run "npm run bench:scale"').toBe(page);
  expect(readText('docs/images/scale-visibility.svg')).toBe(plot);
});

it('the rows that docs/scale.md bills are those that D1 counts now', async () => {
  const { figures } = JSON.parse(readText('bench/scale/results/rows.json')) as {
    figures: Record<string, Rows>;
  };
  const counted = await rows();
  expect(Object.keys(counted), 'run "npm run bench:scale"').toEqual(Object.keys(figures));
  for (const [name, { read, written }] of Object.entries(counted)) {
    expect(written, name).toBe(figures[name]?.written);
    // How many rows an index passes over depends on the order of random ids.
    expect(Math.abs(read - (figures[name]?.read ?? 0)), name).toBeLessThan(10);
  }
});
