import { PrismaD1 } from '@prisma/adapter-d1';
import { PrismaClient } from '@prisma/client';
import { afterEach, expect, test, vi } from 'vitest';
import { createSqliteD1, readMigrations } from './sqlite-d1';
import { Crash, crashAfter, describeStep, type Step } from './steps';

const d1 = createSqliteD1({ migrations: readMigrations() });

afterEach(() => {
  d1.reset();
  d1.resetCounters();
  vi.restoreAllMocks();
});

const addUser = (id: string, username = id) =>
  d1.db.prepare('INSERT INTO User (id, username) VALUES (?1, ?2)').bind(id, username);
const addKey = (id: string, user: string) =>
  d1.db.prepare('INSERT INTO "Key" (id, user_id) VALUES (?1, ?2)').bind(id, user);

test('a batch that fails half-way leaves nothing', async () => {
  await expect(d1.db.batch([addUser('u'), addKey('k', 'nobody')])).rejects.toThrow(
    'D1_ERROR: FOREIGN KEY constraint failed: SQLITE_CONSTRAINT',
  );
  expect(d1.rows('SELECT id FROM User')).toEqual([]);
  await d1.db.batch([addUser('u'), addKey('k', 'u')]);
  expect(d1.rows('SELECT user_id FROM Key')).toEqual([{ user_id: 'u' }]);
});

test('a batch counts as one round trip of as many queries', async () => {
  await d1.db.batch([addUser('u'), addKey('k', 'u')]);
  await d1.db.prepare('SELECT 1').first();
  expect(d1.counters).toEqual({ roundTrips: 2, queries: 3 });
});

test('reset empties every table and keeps foreign keys on', async () => {
  await d1.db.batch([addUser('u'), addKey('k', 'u')]);
  d1.reset();
  expect(d1.rows('SELECT * FROM User, Key')).toEqual([]);
  await expect(addKey('k', 'u').run()).rejects.toThrow('FOREIGN KEY');
});

test('a query takes effect between its hooks, and a crash can stop it', async () => {
  const seen: string[] = [];
  const note = (when: string) => (step: Step) => {
    seen.push(`${when} ${describeStep(step)}: ${d1.rows('SELECT id FROM User').length}`);
  };
  const db = d1.connect(crashAfter(1, { beforeStep: note('before'), afterStep: note('after') }), 'worker');
  const insert = (id: string) => db.prepare('INSERT INTO User (id, username) VALUES (?1, ?1)').bind(id);
  await db.batch([insert('a'), insert('b')]);
  await expect(insert('c').run()).rejects.toBeInstanceOf(Crash);
  const step = 'worker: D1 INSERT INTO User; INSERT INTO User a';
  expect(seen).toEqual([`before ${step}: 0`, `after ${step}: 2`]);
  expect(d1.rows('SELECT id FROM User')).toHaveLength(2);
});

test('exec runs several statements, and batch refuses statements of another database', async () => {
  await d1.db.exec("INSERT INTO User (id, username) VALUES ('a', 'a')\nDELETE FROM User");
  expect(d1.rows('SELECT * FROM User')).toEqual([]);
  await expect(d1.db.exec('SELECT 1\nSELEC 2')).rejects.toThrow(
    'D1_EXEC_ERROR: Error in line 2: SELEC 2: near "SELEC": syntax error',
  );
  const other = createSqliteD1({ migrations: readMigrations() });
  await expect(d1.db.batch([other.db.prepare('SELECT 1')])).rejects.toThrow('prepare them on it');
  other.close();
});

test('Prisma runs on it and reads its errors as it reads those of D1', async () => {
  // Prisma's D1 adapter logs each failed query and warns that it has no transactions.
  vi.spyOn(console, 'error').mockReturnValue();
  vi.spyOn(console, 'info').mockReturnValue();
  const prisma = new PrismaClient({ adapter: new PrismaD1(d1.db) });
  const user = await prisma.user.create({
    data: { id: 'u', username: 'ada', keys: { create: { id: 'k' } } },
  });
  expect(user).toMatchObject({ id: 'u', username: 'ada', session_epoch: 0n });
  expect(await prisma.key.findMany({ include: { user: true } })).toMatchObject([
    { id: 'k', user: { username: 'ada' } },
  ]);
  await expect(prisma.user.create({ data: { id: 'v', username: 'ada' } })).rejects.toMatchObject({
    code: 'P2002',
  });
  await expect(prisma.key.create({ data: { id: 'l', user_id: 'nobody' } })).rejects.toMatchObject({
    code: 'P2003',
  });
  await prisma.user.delete({ where: { id: 'u' } });
  expect(await prisma.key.count()).toBe(0);
});
