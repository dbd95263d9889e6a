/** The words that several components share. Those of one stand in it. */
export const site = {
  /** A page's title, as the browser's tab shows it. */
  title: (page: string) => `${page} · Pages Sessions`,
  titleOfError: (page: string) => `Error: ${page} · Pages Sessions`,
  signIn: 'Sign in',
  password: {
    heading: 'Enter your password to go on',
    label: 'Password',
    again: 'We ask again after 15 minutes.',
  },
  form: {
    cancel: 'Cancel',
    offline: 'You are offline. This page stays as it is; try again when the network is back.',
  },
};
