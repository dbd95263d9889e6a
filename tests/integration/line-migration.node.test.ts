import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { readMigrations } from '../simulation/sqlite-d1';

test('rotations from before the column "line" get the id that their line began with, whatever the order of the rows', () => {
  const migrations = readMigrations();
  const adding = migrations.findIndex((sql) => sql.includes('ADD COLUMN "line"'));
  const database = new DatabaseSync(':memory:');
  for (const sql of migrations.slice(0, adding)) database.exec(sql);
  database.exec("INSERT INTO User (id, username) VALUES ('ada1', 'ada')");
  const insert = database.prepare(
    "INSERT INTO RevokedSession (id, user_id, revoked_at, expires_at, reason, replaced_by) VALUES (?, 'ada1', 0, 1, 'replaced', ?)",
  );
  insert.run('second', 'third');
  insert.run('first', 'second');
  insert.run('third', 'fourth');
  insert.run('other', 'other-2');
  insert.run('ended', null);

  database.exec(migrations[adding] ?? '');

  const lines = database.prepare('SELECT id, line FROM RevokedSession ORDER BY id').all();
  expect(lines.map(({ id, line }) => [id, line])).toEqual([
    ['ended', null],
    ['first', 'first'],
    ['other', 'other'],
    ['second', 'first'],
    ['third', 'first'],
  ]);
  database.close();
});
