/** The words that every page shares. The words of one page are in the `words.ts` beside it. */
export const site = {
  name: 'Pages Sessions',
  /** A page's title, as the browser's tab shows it. */
  title: (page: string) => `${page} · Pages Sessions`,
  titleOfError: (page: string) => `Error: ${page} · Pages Sessions`,
  skip: 'Skip to content',
  header: 'Site',
  signedInAs: 'Signed in as',
  signIn: 'Sign in',
  signUp: 'Sign up',
  signOut: 'Sign out',
  loading: 'Loading',
  accountPages: 'Your account',
  sessions: 'Sessions',
  activity: 'Activity',
  account: 'Account',
  records: 'Records',
  theme: { label: 'Theme', system: 'System', light: 'Light', dark: 'Dark', chosen: 'chosen' },
  footer: 'A reference app: sign-in sessions on Workers KV, users on D1.',
  password: {
    heading: 'Enter your password to go on',
    label: 'Password',
    again: 'We ask again after 15 minutes.',
  },
  form: {
    showPassword: 'Show password',
    cancel: 'Cancel',
    close: 'Close this message',
    offline: 'You are offline. This page stays as it is; try again when the network is back.',
  },
};
