/** The words of the start page. */
export const home = {
  title: 'Sign-in sessions on Workers KV',
  heading: 'Sign-in sessions on Workers KV, where ended means ended',
  lead: 'See every device that is signed in to your account, and end any of them. Workers KV alone takes a minute or more to forget a session everywhere. This app refuses it at once.',
  yourSessions: 'Your sessions',
  signUp: 'Sign up',
  signIn: 'Sign in',
  race: 'Watch the race',
  tryIt:
    'The race needs no account. To try the app itself, sign up with any name, sign in from a second browser, and end one from the other.',
  signedInAs: 'You are signed in as',
  mayLag:
    'This page may show your name for up to 60 seconds after the session was ended on another device. Your account pages know at once.',
  drawing: {
    title: 'One request of an account page',
    caption: 'Both are asked at the same time: one round trip.',
    live: (cost: string) =>
      `A public page, like this one, asks nobody while the last answer is less than a minute old, and decides nothing. This one: ${cost}.`,
    browser: { name: 'Browser', does: 'sends the cookie, the only place where the token is' },
    pages: { name: 'Pages', does: 'SvelteKit and Lucia, made anew for each request' },
    kv: { name: 'Workers KV', does: 'the session: who, and until when', asks: '1 read' },
    d1: { name: 'D1', does: 'the ledger: has it ended?', asks: '1 query' },
  },
  why: 'Why copy it',
  reasons: [
    {
      title: 'Ended means ended',
      text: 'A ledger in D1 is written before KV is touched. No change and no account page accepts an ended session, even while KV still serves it.',
    },
    {
      title: 'Nothing worth stealing',
      text: 'The token is in the cookie and nowhere else. Keys, values, rows, logs and pages hold its SHA-256, which signs nobody in.',
    },
    {
      title: 'Little to pay, little to run',
      text: 'Most page views read nothing, an account page is one KV read and one D1 query. Sessions expire by themselves, and there is no server to keep.',
    },
  ],
  copy: {
    kind: 'A SvelteKit app for Cloudflare Pages, made to be read and copied.',
    adapter: 'A Lucia v2 session adapter on Workers KV. By itself it revokes no faster than KV does.',
    ledger: 'What makes ended mean ended: one D1 query beside the KV read.',
    both: 'To revoke at once, take both folders, or start from the whole app.',
    source: 'The source',
  },
};
