import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { problemsInConfig, problemsInSource, problemsInTree } from '../../scripts/deploy/checks.mjs';
import { CONFIGS, parseConfig, storesOf, withId } from '../../scripts/deploy/config.mjs';
import { withPlaceholders } from './placeholders';

const WRANGLER_TOML = withPlaceholders(readFileSync('wrangler.toml', 'utf8'));
const ID = 'a'.repeat(32);

function problemsWith(...lines: string[]): string[] {
  return problemsInConfig(parseConfig([WRANGLER_TOML, ...lines].join('\n')));
}

describe('wrangler.toml', () => {
  it('the committed wrangler.toml passes the checks', () => {
    expect(problemsWith()).toEqual([]);
  });

  it.each([
    ['ratelimits', '[[ratelimits]]\nname = "LIMIT"\nnamespace_id = "1"', '"ratelimits" is not for Pages'],
    ['a cron', '[triggers]\ncrons = ["0 * * * *"]', '"triggers" is not for Pages'],
    [
      'a cron in an environment',
      '[env.preview.triggers]\ncrons = []',
      '"env.preview.triggers" is not for Pages',
    ],
    ['a queue consumer', '[[queues.consumers]]\nqueue = "q"', '"queues.consumers" is not for Pages'],
    [
      'a Durable Object of its own',
      '[[durable_objects.bindings]]\nname = "LOCK"\nclass_name = "Lock"',
      'LOCK has no script_name',
    ],
    ['an environment that Pages has not', '[env.staging.vars]\nA = "1"', '[env.staging]: Pages has'],
    [
      'a binding that previews lack',
      '[[r2_buckets]]\nbinding = "FILES"',
      '[[env.preview.r2_buckets]] FILES is missing',
    ],
    ['what Pages does not know', '[observability]\nenabled = true', '"observability" is not for Pages'],
  ])('wrangler.toml is refused with %s', (_, addition, problem) => {
    expect(problemsWith(addition).join('\n')).toContain(problem);
  });

  it('wrangler.toml may use a Durable Object of another Worker', () => {
    const durable = '[[durable_objects.bindings]]\nname = "LOCK"\nclass_name = "Lock"\nscript_name = "locks"';
    expect(problemsWith(durable)).toEqual([]);
  });

  it('wrangler.toml is refused if previews would lack a store or a variable', () => {
    const lines = WRANGLER_TOML.split('\n');
    const preview = lines.indexOf('[[env.preview.kv_namespaces]]');
    const without = (n: number, count: number) => lines.filter((_, i) => i < n || i >= n + count).join('\n');
    expect(problemsInConfig(parseConfig(without(preview, 3)))).toEqual([
      '[[env.preview.kv_namespaces]] SESSIONS is missing: an environment inherits none. Add it.',
    ]);
    const layout = lines.indexOf('[env.preview.vars]') + 1;
    expect(problemsInConfig(parseConfig(without(layout, 1)))).toEqual([
      '[env.preview.vars] SESSION_LAYOUT is missing: an environment inherits none. Add it.',
    ]);
    const top = lines.slice(0, lines.indexOf('[env.preview.vars]')).join('\n');
    expect(problemsInConfig(parseConfig(top)).join()).toContain('[env.preview] is missing');
  });
});

type Environment = Pick<ReturnType<typeof parseConfig>, 'vars' | 'kv_namespaces' | 'd1_databases'>;

describe('the two configurations', () => {
  it('the configurations for Pages and Workers have the same name, runtime, variables and stores, in both environments', () => {
    const [pages, workers] = CONFIGS.map((name) => {
      const { env, ...top } = parseConfig(readFileSync(name, 'utf8'));
      const alike = ({ vars, kv_namespaces, d1_databases }: Environment) => ({
        vars,
        kv_namespaces,
        d1_databases,
      });
      const { name: project, compatibility_date, compatibility_flags } = top;
      const runtime = { project, compatibility_date, compatibility_flags };
      return {
        ...runtime,
        ...alike(top),
        environments: Object.keys(env ?? {}),
        preview: alike(env?.preview ?? {}),
      };
    });
    expect(workers).toEqual(pages);
  });

  it('the committed Worker configuration passes the checks', () => {
    const config = parseConfig(readFileSync('wrangler.workers.toml', 'utf8'));
    expect(problemsInConfig(config, { workers: true })).toEqual([]);
  });
});

describe('a store that both environments would work on', () => {
  const shared = "DB of [env.preview] is production's own: give previews another one.";

  it('a store that both environments would share is refused by its name, because stores are found by name', () => {
    const text = WRANGLER_TOML.replace('"pages-sessions-preview"', '"pages-sessions"');
    expect(problemsInConfig(parseConfig(text))).toEqual([shared]);
  });

  it('a store that both environments would share is refused by its id; an id of zeros is a placeholder', () => {
    let text = WRANGLER_TOML;
    for (const preview of [false, true]) {
      expect(problemsInConfig(parseConfig(text))).toEqual([]);
      const database = storesOf(parseConfig(text), preview).find(({ kind }) => kind === 'd1');
      text = withId(text, preview, database!, ID);
    }
    expect(problemsInConfig(parseConfig(text))).toEqual([shared]);
  });
});

describe('the sources', () => {
  const problemsOf = (text: string) => problemsInSource([{ path: 'a.ts', text }]);

  it('sources with debug mode on are refused', () => {
    expect(problemsOf('lucia({ experimental: { debugMode: true } })').join()).toContain('debugMode');
    expect(problemsOf('lucia({ experimental: { debugMode: dev } })').join()).toContain('debugMode');
    expect(problemsOf('lucia({ experimental: { debugMode: false } })')).toEqual([]);
  });

  it.each([
    "{ name: 'PBKDF2', salt, iterations: 600_000, hash: 'SHA-256' }",
    'const PBKDF2_ITERATIONS = 100001;',
    "pbkdf2Sync(password, salt, 210000, 64, 'sha512')",
  ])('sources with PBKDF2 past the limit are refused: %s', (text) => {
    expect(problemsOf(text).join()).toContain('throws on Cloudflare, which allows 100000');
  });

  it.each([
    "{ name: 'PBKDF2', salt, iterations: 100_000, hash: 'SHA-256' }",
    "pbkdf2Sync(password, salt, 100000, 64, 'sha512')",
    'const iterations = 600_000; // of the benchmark',
  ])('sources are accepted: %s', (text) => {
    expect(problemsOf(text)).toEqual([]);
  });
});

describe('the git tree', () => {
  const [store] = storesOf(parseConfig(WRANGLER_TOML), false);
  const current = withId(WRANGLER_TOML, false, store!, ID);
  const configs = (now: string) => ({ 'wrangler.toml': { committed: WRANGLER_TOML, current: now } });

  it('uncommitted changes are refused, with the names of the files', () => {
    const status = ' M src/app.html\n?? new.ts\n';
    expect(problemsInTree(status, configs(WRANGLER_TOML))).toEqual([
      'Not committed: src/app.html, new.ts. Commit, so that what is live can be found again, or add --allow-dirty.',
    ]);
  });

  it('the only uncommitted change allowed in wrangler.toml is an id that the last run wrote', () => {
    const status = ' M wrangler.toml\n';
    expect(problemsInTree(status, configs(current))).toEqual([]);
    const changed = current.replace('SHOW_COST = "on"', 'SHOW_COST = "off"');
    expect(problemsInTree(status, configs(changed))).toHaveLength(1);
  });
});

describe('an id in wrangler.toml', () => {
  it.each([false, true])('writing an id changes its own line and nothing else (preview: %s)', (preview) => {
    for (const store of storesOf(parseConfig(WRANGLER_TOML), preview)) {
      const before = WRANGLER_TOML.split('\n');
      const after = withId(WRANGLER_TOML, preview, store, ID).split('\n');
      const changed = after.filter((line, i) => line !== before[i]);
      expect(after).toHaveLength(before.length);
      expect(changed).toEqual([`${store.kind === 'kv' ? 'id' : 'database_id'} = "${ID}"`]);
      const [written] = storesOf(parseConfig(after.join('\n')), preview).filter(({ id }) => id !== null);
      expect(written).toEqual({ ...store, id: ID });
    }
  });

  it('the production id is written to [env.production] if there is one', () => {
    const text = `${WRANGLER_TOML}\n[[env.production.kv_namespaces]]\nbinding = "SESSIONS"\nid = "${'0'.repeat(32)}"\n`;
    const [store] = storesOf(parseConfig(text), false);
    const config = parseConfig(withId(text, false, store!, ID));
    expect(config.env?.production?.kv_namespaces).toEqual([{ binding: 'SESSIONS', id: ID }]);
    expect(config.kv_namespaces).toEqual([{ binding: 'SESSIONS', id: '0'.repeat(32) }]);
  });
});
