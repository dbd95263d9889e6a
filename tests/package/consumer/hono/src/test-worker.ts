/** The README's Worker, with two additions for the test: a sign-up, and a clock that can be moved. */
import app from './index.js';
import { createLucia } from './lib/server/lucia.js';

const realNow = Date.now;
let ahead = 0;
Date.now = () => realNow.call(Date) + ahead;

app.post('/signup', async (c) => {
  const { username = '', password = '' } = await c.req.parseBody<Record<string, string>>();
  const key = { providerId: 'username', providerUserId: username, password };
  const user = await createLucia(c.env).createUser({ key, attributes: { username } });
  await c.var.sessions.signIn(user.userId);
  return c.redirect('/sessions', 303);
});
app.post('/clock', async (c) => {
  ahead += Number((await c.req.parseBody())['milliseconds']);
  return c.body(null, 204);
});

export default app;
