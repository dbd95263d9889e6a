/** Compares docs/security.md with the code and the tests that it names. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as policy from '$lib/server/policy';

const PAGE = 'docs/security.md';
const page = readFileSync(PAGE, 'utf8');

/** The requirements that the table must have a row for. */
const REQUIRED = [
  ...[
    '7.1.1',
    '7.1.2',
    '7.2.1',
    '7.2.2',
    '7.2.3',
    '11.5.1',
    '7.2.4',
    '7.3.1',
    '7.3.2',
    '7.4.1',
    '7.4.2',
    '7.4.3',
  ],
  ...[
    '7.4.4',
    '7.4.5',
    '7.5.1',
    '7.5.2',
    '8.2.2',
    '6.1.1',
    '6.3.1',
    '6.2.1',
    '6.2.9',
    '6.2.2',
    '6.2.3',
    '6.2.4',
  ],
  ...[
    '6.2.11',
    '6.2.12',
    '6.2.5',
    '6.2.10',
    '6.2.6',
    '6.2.7',
    '6.2.8',
    '6.3.8',
    '3.3.1–3.3.4',
    '3.5.1',
    '3.5.3',
  ],
  ...[
    '3.4.1–3.4.6',
    '14.2.1',
    '14.3.1',
    '14.3.2',
    '11.4.2',
    'CB tokens',
    'CB sessions',
    '16.2.5',
    '16.3.1',
    '16.5.3',
  ],
  ...['2.3.3', '6.3.3'],
];

type Link = { text: string; target: string };

function linksIn(markdown: string): Link[] {
  return [...markdown.matchAll(/\[([^\]]+)\]\(([^)\s]+)\)/g)].map(([, text = '', target = '']) => ({
    text,
    target,
  }));
}

/** Returns the cells of a section's table, without its head. */
function rowsOf(heading: string): string[][] {
  const section = page.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  return section
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2)
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

const fileOf = ({ target }: Link) => join(dirname(PAGE), target);
const checklist = rowsOf('The checklist');

describe('docs/security.md', () => {
  it('every link in docs/security.md leads to a file', () => {
    const links = linksIn(page).filter(({ target }) => !/^https?:/.test(target));
    expect(links.length).toBeGreaterThan(60);
    expect(links.map(fileOf).filter((file) => !existsSync(file))).toEqual([]);
  });

  it('docs/security.md has a row for every requirement', () => {
    const ids = checklist.flatMap(([id = '']) =>
      id.split(',').map((one) => one.replace(/\[\d\]/, '').trim()),
    );
    expect(REQUIRED.filter((id) => !ids.includes(id))).toEqual([]);
  });

  it('each row of docs/security.md names code and at least one test, or says "not met"', () => {
    for (const [id, , metBy = '', test = ''] of checklist) {
      if (metBy === '**not met**') expect(test, id).toBe('none');
      else expect(linksIn(test).length, id).toBeGreaterThan(0);
    }
    const notMet = checklist.filter(([, , metBy]) => metBy === '**not met**').map(([id]) => id);
    expect(notMet).toEqual(['6.3.3 [2]']);
  });

  it('the tests that docs/security.md names exist in the file it links', () => {
    const named = checklist.flatMap(([, , , test = '']) => linksIn(test));
    expect(named.length).toBeGreaterThan(40);
    const missing = named.filter(
      (link) => !titlesIn(fileOf(link)).some((title) => title.startsWith(link.text)),
    );
    expect(missing).toEqual([]);
  });
});

/** Returns the titles of a file's tests, as they are written there. */
function titlesIn(file: string): string[] {
  if (!existsSync(file)) return [];
  const calls = readFileSync(file, 'utf8').matchAll(
    /\b(?:it|test\w*)(?:\.each\([^]*?\))?\(\s*(?:'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"|`([^`]*)`)/g,
  );
  return [...calls].map(([, single, double, template]) => single ?? double ?? template ?? '');
}

const UNIT_MILLISECONDS: Record<string, number> = {
  second: 1_000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
};

/** Returns "30 days" in milliseconds, and "8 characters" and "5" as numbers. */
function amountOf(text: string): number {
  const [number = '', unit = ''] = text.split(' ');
  return Number(number) * (UNIT_MILLISECONDS[unit.replace(/s$/, '')] ?? 1);
}

/** Returns a constant of policy.ts by name, in milliseconds if it is a time. */
function constant(name: string): number {
  const value = name
    .split('.')
    .reduce<unknown>((at, key) => (at instanceof Object ? Reflect.get(at, key) : null), {
      ...policy,
    });
  return Number(value) * (name.endsWith('_SECONDS') ? 1_000 : 1);
}

describe('the numbers of docs/security.md', () => {
  const rows = rowsOf('Lifetimes and limits').map(([, amount = '', code = '']) => ({
    amount,
    name: code.replaceAll('`', ''),
  }));

  it('every lifetime in docs/security.md is the one in the code', () => {
    expect(rows.length).toBeGreaterThan(10);
    const said = rows.map(({ name, amount }) => [name, amountOf(amount)]);
    expect(said).toEqual(rows.map(({ name }) => [name, constant(name)]));
  });

  it('every period of policy.ts is in docs/security.md', () => {
    const periods = Object.keys(policy).filter((name) => /_PERIOD_|_KEPT_|_WINDOW_|_COOKIE_/.test(name));
    expect(periods.length).toBeGreaterThanOrEqual(6);
    expect(periods.filter((name) => !rows.some((row) => row.name === name))).toEqual([]);
  });

  it('the password hash is as strong as docs/security.md says', () => {
    const { cost, blockSize, parallelization, keyBytes } = policy.SCRYPT;
    expect(page).toContain(
      `scrypt: N = ${cost}, r = ${blockSize}, p = ${parallelization}, ${keyBytes} bytes.`,
    );
    // The parameters of Lucia v2, which are the minimum.
    expect([cost, blockSize, parallelization, keyBytes]).toEqual([16_384, 16, 1, 64]);
  });
});

describe('the versions of docs/security.md', () => {
  it('the versions in docs/security.md are those in package.json', () => {
    const { devDependencies }: { devDependencies: Record<string, string> } = JSON.parse(
      readFileSync('package.json', 'utf8'),
    );
    const shipped = ['lucia', '@lucia-auth/adapter-prisma', '@sveltejs/kit', 'svelte', 'valibot'];
    for (const name of [...shipped, '@zxcvbn-ts/language-common', '@prisma/adapter-d1']) {
      expect(page).toContain(`\`${name}\` ${devDependencies[name]}`);
    }
  });
});
