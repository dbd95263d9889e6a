/** The words of the sign-up page. The rules are those of `src/lib/server/http/form.ts`, told before they are broken. */
export const words = {
  title: 'Sign up',
  username: 'Username',
  usernameHint: '3 to 64 letters a–z, digits, dots, hyphens or underscores; a letter or digit first.',
  password: 'Password',
  passwordHint: 'At least 8 characters; 15 or more are better. Spaces and symbols are fine.',
  submit: 'Sign up',
  hasAccount: 'Have an account?',
  signIn: 'Sign in',
};

/** What the page's action answers. */
export const answers = { taken: 'That username is taken. Choose another. If that was you, sign in.' };
