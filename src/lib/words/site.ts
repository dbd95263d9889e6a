/** Texts that several components share. A text of a single component is in that component. */
export const site = {
  /** The page title in the browser's tab. */
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
