/** The least that an answer with this work can cost: nobody's library, only the stores. */
import { scryptPasswordHash } from '../../src/lib/server/accounts/password';
import { serve, type BenchEnv } from './contender';

const RECORD = 'session:a-user-of-15ch.a-record-as-ours';
const USER = 'a-user-of-15ch';
const PASSWORD = 'correct horse battery staple';

/** As large as a session of the app. */
const session = {
  id: `${USER}.0123456789012345678901234567890123456789012`,
  user_id: USER,
  active_expires: 4_000_000_000_000,
  idle_expires: 4_000_000_000_000,
  username: 'alice',
  created_at: 1_790_000_000_000,
  proved_at: 1_790_000_000_000,
  epoch: 0,
  device: { browser: 'Chrome 140', system: 'Linux', kind: 'desktop' },
  place: { country: null, city: 'local' },
};

/** With those above about what the sessions of ours.ts come to. */
const OTHER_KEYS = 2_000;

const get = async ({ SESSIONS }: BenchEnv) => JSON.parse((await SESSIONS.get(RECORD)) ?? '{}');
const query = ({ DB }: BenchEnv) =>
  DB.prepare(
    `SELECT username, session_epoch AS epoch, EXISTS (SELECT 1 FROM RevokedSession WHERE id = ?2) AS revoked
     FROM User WHERE id = ?1`,
  )
    .bind(USER, session.id)
    .first<{ username: string }>();

const list = async (kv: KVNamespace, prefix: string) => (await kv.list({ prefix })).keys;
const write = ({ DB }: BenchEnv) =>
  DB.prepare('UPDATE User SET session_epoch = session_epoch + 1 WHERE id = ?1').bind(USER).run();

let hash: string | undefined;

export default serve({
  async seed(_, { SESSIONS, LISTS, DB }) {
    await SESSIONS.put(RECORD, JSON.stringify(session), { metadata: session });
    await DB.prepare('INSERT INTO User (id, username) VALUES (?1, ?2)').bind(USER, session.username).run();
    for (const [prefix, size] of [['hundred', 100] as const, ['thousand', 1_000] as const]) {
      for (let n = 0; n < size; n += 1) {
        await LISTS.put(`${prefix}:${n}`, JSON.stringify(session), { metadata: session });
      }
    }
    for (let n = 0; n < OTHER_KEYS; n += 1) await LISTS.put(`other:${n}`, '{}');
    return {};
  },
  subjects: {
    '/empty': async () => Response.json({ username: session.username }),
    '/kv': async (_, env) => Response.json({ username: (await get(env)).username }),
    '/d1': async (_, env) => Response.json({ username: (await query(env))?.username }),
    '/both': async (_, env) => {
      const [record, row] = await Promise.all([get(env), query(env)]);
      return Response.json({ username: row && record.username });
    },
    '/list-100': async (_, env) => Response.json({ length: (await list(env.LISTS, 'hundred:')).length }),
    '/list-100-and-query': async (_, env) => {
      const [keys, row] = await Promise.all([list(env.LISTS, 'hundred:'), query(env)]);
      return Response.json({ length: row && keys.length });
    },
    '/list-1000-and-query': async (_, env) => {
      const [keys, row] = await Promise.all([list(env.LISTS, 'thousand:'), query(env)]);
      return Response.json({ length: row && keys.length });
    },
    '/confirm-and-list': async (_, env) => {
      await Promise.all([get(env), query(env)]);
      const keys = await list(env.SESSIONS, RECORD);
      return Response.json({ length: (await query(env)) && keys.length });
    },
    '/list-1000': async (_, env) => Response.json({ length: (await list(env.LISTS, 'thousand:')).length }),
    '/write': async (_, env) => {
      await write(env);
      return Response.json({ username: session.username });
    },
    '/confirm-write-list-put': async (_, env) => {
      await Promise.all([get(env), query(env)]);
      const put = env.SESSIONS.put(RECORD, JSON.stringify(session), { metadata: session });
      const [keys] = await Promise.all([list(env.LISTS, 'thousand:'), write(env), put]);
      return Response.json({ ended: keys.length });
    },
    '/scrypt': async () => {
      hash ??= await scryptPasswordHash.generate(PASSWORD);
      return Response.json({ username: (await scryptPasswordHash.validate(PASSWORD, hash)) && 'alice' });
    },
  },
});
