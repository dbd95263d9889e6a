/**
 * How much requests without a session can make each table grow. docs/security.md, "What can grow", publishes these bounds. There are very
 * many requests, so they run on the in-process D1, which is compared to the real one (tests/simulation/sqlite-d1-equivalence.node.test.ts).
 */
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Browser } from '../setup/browser';
import { quickHash } from '../simulation/histories-requests';
import { createHostileKV } from '../simulation/hostile-kv';
import { plainUsers } from '../simulation/plain-users';
import { createSqliteD1, readMigrations } from '../simulation/sqlite-d1';
import { signIn, signUp } from '../setup/requests';

const PASSWORD = 'correct horse battery';
const OWNER = 'ada';
const HOSTILE_REQUESTS = 2_000;
const AT_ONCE = 20;
const DAY_MILLISECONDS = 24 * 60 * 60 * 1_000;
/** Addresses for documentation (RFC 5737). */
const FEW_ADDRESSES = ['198.51.100.1', '198.51.100.2', '198.51.100.3', '198.51.100.4'];
const d1 = createSqliteD1({ migrations: readMigrations() });

let kv: ReturnType<typeof createHostileKV>;
let clock: number;

beforeEach(async () => {
  vi.spyOn(console, 'log').mockReturnValue(undefined);
  vi.useFakeTimers({ toFake: ['Date'] });
  clock = Date.now();
  d1.reset();
  kv = createHostileKV({ seed: 1, hostility: {}, now: () => Date.now() });
  expect(await signUp(from('127.0.0.1'), OWNER, PASSWORD)).toBe('signed-in');
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

afterAll(() => d1.close());

/** A request of a browser that was never here. */
function from(address: string) {
  return new Browser().request({
    kv: kv.place('FRA'),
    db: d1.connect(),
    layout: 'owner',
    method: 'POST',
    passwordHash: quickHash,
    users: plainUsers,
    cookieSecrets: { current: 'a secret of the tests' },
    address,
  });
}

type Rows = Record<string, number>;

/** Returns the number of rows in every table, and of records in KV. */
function rows(): Rows {
  const tables = d1.rows("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB 'sqlite*'");
  const counts = tables.map(({ name }) => [
    String(name),
    d1.rows(`SELECT 1 AS n FROM "${String(name)}"`).length,
  ]);
  return { ...Object.fromEntries(counts), KV: kv.truth().length };
}

/** Returns how many rows `work` added, by table. */
async function grownBy(work: () => Promise<unknown>): Promise<Rows> {
  const before = rows();
  await work();
  const after = Object.entries(rows());
  return Object.fromEntries(after.map(([name, n]) => [name, n - (before[name] ?? 0)]).filter(([, n]) => n));
}

/** Sends many requests, some at once, from each of the addresses in turn. */
async function flood(addresses: string[], request: (address: string, n: number) => Promise<unknown>) {
  for (let n = 0; n < HOSTILE_REQUESTS; n += AT_ONCE) {
    await Promise.all(
      Array.from({ length: AT_ONCE }, (_, i) => request(addresses[i % addresses.length] ?? '', n + i)),
    );
  }
}

const guessAName = (address: string, n: number) => signIn(from(address), `nobody-${n}`, 'a wrong guess');
const guessAtOwner = (address: string) => signIn(from(address), OWNER, 'a wrong guess');
const askForAName = (address: string) => signUp(from(address), OWNER, PASSWORD);
const makeAnAccount = (address: string, n: number) => signUp(from(address), `${OWNER}-${n}`, PASSWORD);

describe.each([
  { where: 'one address', addresses: FEW_ADDRESSES.slice(0, 1) },
  { where: 'a few addresses', addresses: FEW_ADDRESSES },
])(`${HOSTILE_REQUESTS} requests from $where leave at most`, ({ addresses }) => {
  const few = addresses.length;

  it('sign-ins, each with another name, leave a row for each guess that was answered and one for the address', async () => {
    expect(await grownBy(() => flood(addresses, guessAName))).toEqual({ SignInThrottle: few * (50 + 1) });
  });

  it('sign-ins with one name leave at most the account’s five failures', async () => {
    const { SecurityEvent, SignInThrottle, ...others } = await grownBy(() => flood(addresses, guessAtOwner));
    expect(SecurityEvent).toBe(5);
    expect(SignInThrottle).toBeGreaterThan(0);
    expect(SignInThrottle).toBeLessThanOrEqual(few + 1);
    expect(others).toEqual({});
  });

  it('sign-ups with a taken name leave one row for the address', async () => {
    expect(await grownBy(() => flood(addresses, askForAName))).toEqual({ SignInThrottle: few });
  });

  it('sign-ups, each with another name, leave twenty accounts and those in progress with the last', async () => {
    const { User = 0, ...others } = await grownBy(() => flood(addresses, makeAnAccount));
    expect(User).toBeGreaterThanOrEqual(few * 20);
    expect(User).toBeLessThanOrEqual(few * (20 + 9));
    expect(others).toEqual({ Key: User, SecurityEvent: User, KV: User, SignInThrottle: few });
  });
});

describe('in a day', () => {
  /** Sends requests for a day, as often as they are let through. Returns how often they were. */
  async function tries(request: (n: number) => Promise<unknown>): Promise<number> {
    const end = clock + DAY_MILLISECONDS;
    let answered = 0;
    for (let n = 0; clock < end; n += 1) {
      const outcome = await request(n);
      if (outcome !== null && typeof outcome === 'object' && 'retryAfterSeconds' in outcome) {
        clock += Number(outcome.retryAfterSeconds) * 1_000;
        vi.setSystemTime(clock);
      } else answered += 1;
    }
    return answered;
  }

  it('at most 104 failures of one account are recorded in a day, from however many addresses', async () => {
    const { SecurityEvent } = await grownBy(async () => {
      const answered = await tries((n) => guessAtOwner(`2001:db8:0:${n.toString(16)}::1`));
      expect(answered).toBe(104);
    });
    expect(SecurityEvent).toBe(104);
  });

  it('at most 149 names can be tried from one address in a day, with a row each', async () => {
    const { SignInThrottle, ...others } = await grownBy(async () => {
      expect(await tries((n) => guessAName('198.51.100.7', n))).toBe(149);
    });
    expect(SignInThrottle).toBe(149 + 1);
    expect(others).toEqual({});
  });

  it('at most 119 accounts can be created from one address in a day', async () => {
    const { User } = await grownBy(async () => {
      expect(await tries((n) => makeAnAccount('198.51.100.8', n))).toBe(119);
    });
    expect(User).toBe(119);
  });
});
