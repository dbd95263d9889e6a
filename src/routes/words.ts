/** The words of the start page. */
export const home = {
  title: 'Sign-in sessions on Workers KV',
  heading: 'Sign-in sessions on Workers KV, where ended means ended',
  lead: 'A reference SvelteKit app for Cloudflare Pages. See every device that is signed in to your account, and end any of them. Workers KV alone takes a minute or more to forget a session everywhere; this app refuses it at once.',
  yourSessions: 'Your sessions',
  signUp: 'Sign up',
  signIn: 'Sign in',
  signedInAs: 'You are signed in as',
  mayLag:
    'This page reads only KV, so it may show your name for a minute or so after the session was ended on another device. Your account pages know at once.',
  drawing: {
    title: 'One request of an account page',
    titleLive: 'This page’s request, measured',
    caption:
      'An account page asks both stores at the same time: one round trip, not two. A public page, like this one, asks at most KV, and decides nothing.',
    browser: { name: 'Browser', does: 'sends the cookie, the only place where the token is' },
    pages: { name: 'Pages', does: 'SvelteKit and Lucia, made anew for each request' },
    kv: {
      name: 'KV',
      does: 'holds the session: who, and until when',
      asks: (count: number) => (count === 1 ? '1 read' : `${count} reads`),
    },
    d1: {
      name: 'D1',
      does: 'holds users and the ledger: has it ended?',
      asks: (count: number) => (count === 1 ? '1 query' : `${count} queries`),
    },
  },
  reasons: [
    {
      title: 'Sessions in KV',
      text: 'Read near the visitor, and gone by themselves when they expire. Every key and value holds a hash of the token, never the token.',
    },
    {
      title: 'Users in D1',
      text: 'Usernames and password hashes in SQL, through Prisma. A sign-up is one transaction: all of it or nothing.',
    },
    {
      title: 'Ended means ended',
      text: 'A ledger in D1 is written before KV is touched. No change and no account page accepts an ended session, even while KV still serves it.',
    },
  ],
  copy: {
    before: 'Copy the folder',
    folder: 'src/lib/server/kv-adapter',
    after: 'into any Lucia v2 app, or start from the whole.',
  },
};
