/** Each KV method and each D1 table fails alone, on every page and for every way to end sessions. docs/consistency.md has the table. */
import { isHttpError, isRedirect } from '@sveltejs/kit';
import { env } from 'cloudflare:workers';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import page from '../../docs/consistency.md?raw';
import type { StepHooks } from '../simulation/steps';
import {
  ACTION_SCENARIOS,
  API_SCENARIOS,
  call,
  PAGE_SCENARIOS,
  setScene,
  storesWith,
  type Scenario,
  type Scene,
} from './routes';

beforeAll(() => {
  const silent = () => undefined;
  vi.stubGlobal('console', { ...console, log: silent, warn: silent, error: silent });
});
afterAll(() => void vi.unstubAllGlobals());

const KV_METHODS = ['get', 'put', 'delete', 'list'];
const TABLES = ['User', 'Key', 'RevokedSession', 'SecurityEvent', 'SignInThrottle', 'Leftover', 'DeviceKey'];

const COLUMNS: { heading: string; scenario: string }[] = [
  { heading: '`/`', scenario: 'the home page' },
  { heading: '`/login`', scenario: 'the sign-in page' },
  { heading: '`/sessions`', scenario: 'the sessions page' },
  { heading: '`GET /api/sessions`', scenario: 'GET /api/sessions' },
  { heading: '`/activity`', scenario: 'the activity page' },
  { heading: '`/account`', scenario: 'the account page' },
  { heading: '`/account/data`', scenario: 'the download' },
  { heading: '`/kv`', scenario: 'the records page' },
  { heading: 'sign in', scenario: 'signing in' },
  { heading: 'sign out', scenario: 'signing out' },
  { heading: 'end one', scenario: 'revoking one' },
  { heading: 'end the others', scenario: 'revoking the others' },
  { heading: 'end all', scenario: 'revoking all' },
];

const scenarioOf = (name: string): Scenario => {
  const found = [...PAGE_SCENARIOS, ...API_SCENARIOS, ...ACTION_SCENARIOS].find((one) => one.name === name);
  if (!found) throw new Error(name);
  return found;
};

/** A D1 in which one table can be neither read nor written. A batch that uses it fails as a whole. */
function withoutTable(real: D1Database, table: string): D1Database {
  const names = new RegExp(`\\b${table}\\b`);
  const broken = new WeakSet<D1PreparedStatement>();
  const fail = () => Promise.reject(new Error(`D1_ERROR: no such table: ${table}: SQLITE_ERROR`));
  const breakIt = (statement: D1PreparedStatement): D1PreparedStatement => {
    const one = new Proxy(statement, {
      get(target, name) {
        if (name === 'bind') return (...values: unknown[]) => breakIt(target.bind(...values));
        return ['first', 'all', 'run', 'raw'].includes(String(name)) ? fail : Reflect.get(target, name);
      },
    });
    broken.add(one);
    return one;
  };
  return new Proxy(real, {
    get(target, name) {
      if (name === 'prepare') {
        return (sql: string) => (names.test(sql) ? breakIt(target.prepare(sql)) : target.prepare(sql));
      }
      if (name === 'batch') {
        return (statements: D1PreparedStatement[]) =>
          statements.some((statement) => broken.has(statement)) ? fail() : target.batch(statements);
      }
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/**
 * `yes`: it works. `part`: some of it is left out, and named. `done`: it happened, and this browser has to sign in again. `503`: nothing is
 * changed.
 */
async function cellOf(scenario: Scenario, hooks: StepHooks, db?: D1Database): Promise<string> {
  const { outcome } = await call(scenario, await setScene(), hooks, db);
  if (isRedirect(outcome)) return 'yes';
  if (isHttpError(outcome)) {
    const { title, text } = outcome.body.claim ?? {};
    if (title?.startsWith('Done')) return 'done';
    return text?.includes('as they were') || text?.startsWith('You are not signed in')
      ? '503'
      : `503: ${title}`;
  }
  const returned =
    outcome && typeof outcome === 'object' && 'returned' in outcome ? outcome.returned : outcome;
  const data: unknown = returned instanceof Response ? await returned.json() : returned;
  if (returned instanceof Response && !returned.ok) return String(returned.status);
  const isPart =
    data !== null &&
    typeof data === 'object' &&
    (('unlisted' in data && data.unlisted === true) ||
      ('otherCount' in data && data.otherCount === null) ||
      ('sessionCount' in data && data.sessionCount === null) ||
      'sessionsNote' in data ||
      'activityNote' in data);
  return isPart ? 'part' : 'yes';
}

async function rowOf(name: string, hooks: StepHooks, db?: D1Database): Promise<string> {
  const cells: string[] = [];
  for (const { scenario } of COLUMNS) cells.push(await cellOf(scenarioOf(scenario), hooks, db));
  return `| ${[name, ...cells].join(' | ')} |`;
}

/** The rows of the published table, without padding. */
const published = page.split('\n').map((line) =>
  line
    .replace(/\s+/g, ' ')
    .replace(/ ?\| ?/g, ' | ')
    .trim(),
);

describe('one part of a store down', () => {
  it('the table of what works with one part of a store down covers every page and every way to end sessions', () => {
    expect(published).toContain(`| down | ${COLUMNS.map(({ heading }) => heading).join(' | ')} |`);
  });

  it.each(KV_METHODS)('pages and actions do what the table says without KV %s', async (method) => {
    const hooks: StepHooks = {
      beforeStep: ({ store, op }) => {
        if (store === 'KV' && op === method) throw new Error('injected: the network is gone');
      },
    };
    const row = await rowOf(`KV \`${method}\``, hooks);
    expect(published.includes(row), row).toBe(true);
  });

  it.each(TABLES)('pages and actions do what the table says without the D1 table %s', async (table) => {
    const db = withoutTable(storesWith({}).db, table);
    const row = await rowOf(`D1 \`${table}\``, {}, db);
    expect(published.includes(row), row).toBe(true);
  });

  it('anybody may sign in while a store does not say whether their cookie is still good', async () => {
    const page = { ...scenarioOf('the sign-in page'), browser: ({ laptop }: Scene) => laptop };
    for (const store of ['KV', 'D1']) {
      const hooks: StepHooks = {
        beforeStep: (step) => {
          if (step.store === store) throw new Error('injected: the network is gone');
        },
      };
      expect(await cellOf(page, hooks)).toBe('yes');
      const { outcome } = await call(page, await setScene(), hooks);
      expect(isRedirect(outcome)).toBe(false);
    }
  });

  it('the table of what works with one part of a store down names every database table', async () => {
    const { results } = await env.DB.prepare(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '%d1_%' AND name NOT LIKE '\\_%' ESCAPE '\\'",
    ).all<{ name: string }>();
    expect(results.map(({ name }) => name).sort()).toEqual([...TABLES].sort());
  });
});
