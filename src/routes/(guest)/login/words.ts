/** The words of the sign-in page. */
export const words = {
  title: 'Sign in',
  notices: {
    'to-continue': 'Sign in to continue.',
    'signed-out': 'You are signed out.',
    'signed-out-everywhere': 'You are signed out on every device. Every session has ended.',
    'account-deleted': 'Your account is deleted, and every session has ended.',
  },
  username: 'Username',
  password: 'Password',
  submit: 'Sign in',
  noAccount: 'No account yet?',
  signUp: 'Sign up',
};

/** What the page's action answers. Which of the two is wrong is not said (ASVS 6.3.8). */
export const answers = { refused: 'The username or the password is wrong.' };
