/** The words of the start page. */
export const home = {
  title: 'Sign-in sessions on Workers KV',
  heading: 'Sign-in sessions on Workers KV, where ended means ended',
  lead: 'See every device that is signed in to your account, and end any of them. Workers KV alone takes a minute or more to forget a session everywhere. This app refuses it at once.',
  kind: 'A SvelteKit app for Cloudflare Pages, made to be read and copied.',
  yourSessions: 'Your sessions',
  signUp: 'Sign up',
  signIn: 'Sign in',
  tryIt: 'To try it, sign up with any name, sign in from a second browser, and end one from the other.',
  signedInAs: 'You are signed in as',
  mayLag:
    'This page may show your name for up to 60 seconds after the session was ended on another device. Your account pages know at once.',
  drawing: {
    title: 'One request of an account page',
    titleLive: 'What this page just asked',
    caption:
      'An account page asks both at the same time: one round trip. A public page, like this one, asks nobody while the last answer is less than a minute old, and decides nothing.',
    browser: { name: 'Browser', does: 'sends the cookie, the only place where the token is' },
    pages: { name: 'Pages', does: 'SvelteKit and Lucia, made anew for each request' },
    kv: {
      name: 'Workers KV',
      does: 'the session: who, and until when',
      asks: (count: number) => (count === 1 ? '1 read' : `${count} reads`),
    },
    d1: {
      name: 'D1',
      does: 'the ledger: has it ended?',
      asks: (count: number) => (count === 1 ? '1 query' : `${count} queries`),
    },
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
    before: 'Copy the folder',
    folder: 'src/lib/server/kv-adapter',
    after: 'into your own Lucia v2 app, or start from the whole of it.',
  },
};
