/**
 * The rows that D1 reads and writes for each operation, which is what it bills, as the local D1 counts them: the app's own
 * functions on Miniflare's KV and D1.
 */
import { ACTIVE_PERIOD_MILLISECONDS } from '$lib/server/policy';
import { sessionIdFor } from '$lib/server/sessions/token';
import { Browser, type TestEvent } from '../../tests/setup/browser';
import {
  signUp,
  signIn,
  peekSession,
  requireSession,
  revokeSession,
  revokeOtherSessions,
  signOut,
  changePassword,
  listSessions,
} from '../../tests/setup/requests';
import { quickHash } from '../../tests/simulation/histories-requests';
import { plainUsers } from '../../tests/simulation/plain-users';
import { withStores } from './stores';

const PASSWORD = 'correct horse battery';

export type Rows = { read: number; written: number };

/** By operation, as tests/simulation/costs.ts names them. */
export const rows = (): Promise<Record<string, Rows>> => withStores(measureAll);

async function measureAll(kv: KVNamespace, real: D1Database): Promise<Record<string, Rows>> {
  const found: Record<string, Rows> = {};
  const laptop = new Browser();
  const phone = new Browser();

  async function measure(name: string, browser: Browser, work: (event: TestEvent) => Promise<unknown>) {
    const counted: Rows = { read: 0, written: 0 };
    const db = countRows(real, counted);
    const options = { kv, db, layout: 'owner', passwordHash: quickHash, users: plainUsers } as const;
    await work(
      browser.request({ ...options, cookieSecrets: { current: 'of no worth' }, address: '192.0.2.1' }),
    );
    await browser.settle();
    found[name] = counted;
  }

  await measure('sign-up', laptop, (event) => signUp(event, 'ada', PASSWORD));
  await measure('first sign-in of a browser', phone, (event) => signIn(event, 'ada', PASSWORD));
  await measure('the page view that asks', laptop, peekSession);
  await measure('page view (peek)', laptop, peekSession);
  await measure('GET /api/session', laptop, ({ locals }) => locals.auth.current.look());
  await measure('account page (require)', laptop, requireSession);
  await measure('sessions page', laptop, async (event) => listSessions(event, await requireSession(event)));
  await measure('sign-in refused', laptop, (event) => signIn(event, 'ada', 'wrong'));
  const phoneId = sessionIdOf(phone);
  await measure('revoke one', laptop, async (event) =>
    revokeSession(event, await requireSession(event), phoneId),
  );
  await measure('revoke others', laptop, async (event) =>
    revokeOtherSessions(event, await requireSession(event)),
  );
  const { now } = Date;
  Date.now = () => now() + ACTIVE_PERIOD_MILLISECONDS + 1;
  await measure('a renewal that was due', laptop, requireSession);
  await measure('change password', laptop, async (event) =>
    changePassword(event, await requireSession(event), PASSWORD, 'another good password'),
  );
  await measure('sign-out', laptop, signOut);
  await measure('sign-in', laptop, (event) => signIn(event, 'ada', 'another good password'));
  return found;
}

function sessionIdOf({ cookie = '' }: Browser): string {
  const [userId = '', token = ''] = cookie.split('.');
  return sessionIdFor(userId, token);
}

/** A D1 that adds what its answers say of rows. */
function countRows(real: D1Database, counted: Rows): D1Database {
  const inner = new WeakMap<object, D1PreparedStatement>();
  const add = <T>(result: D1Result<T>) => {
    counted.read += result.meta.rows_read;
    counted.written += result.meta.rows_written;
    return result;
  };
  const wrap = (statement: D1PreparedStatement): D1PreparedStatement => {
    const wrapped = {
      bind: (...values: unknown[]) => wrap(statement.bind(...values)),
      all: async () => add(await statement.all()),
      run: async () => add(await statement.run()),
      // `first` itself says nothing of rows.
      first: async (column?: string) => {
        const [row] = add(await statement.all<Record<string, unknown>>()).results;
        return column === undefined ? (row ?? null) : (row?.[column] ?? null);
      },
    };
    inner.set(wrapped, statement);
    return wrapped as unknown as D1PreparedStatement;
  };
  return {
    prepare: (sql: string) => wrap(real.prepare(sql)),
    batch: async (statements: D1PreparedStatement[]) =>
      (await real.batch(statements.map((one) => inner.get(one) ?? one))).map(add),
  } as unknown as D1Database;
}
