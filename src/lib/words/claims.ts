/**
 * What an error page says about the requested change. Each sentence stays true whatever happens later. Only the server imports these texts;
 * the page shows what the server sends.
 */
export const claims = {
  titles: {
    nothing: 'Not available right now',
    done: 'Done, but this page cannot be shown',
    signInHere: 'Done, but sign in again',
    unknown: 'It may have been done',
  },
  /** Nothing was started, or the store confirmed that nothing changed. */
  nothing: 'Your account and your sessions are as they were. Try again in a moment.',
  /** The change happened. */
  done: {
    'sign-up': 'Your account is made.',
    'sign-in':
      'Your password was right, but your new session could not be stored. Any session that this browser had before has ended.',
    'sign-out': 'You are signed out.',
    'end-one': 'That session has ended.',
    'end-some': 'Those sessions have ended.',
    'answer-moves': 'What you said of that session is recorded.',
    'end-others': 'Your other sessions have ended.',
    'end-all': 'You are signed out on every device.',
    'change-password': 'Your password is changed, and your other sessions have ended.',
    'step-up': 'Your password was accepted. What you asked for after it was not done.',
    'delete-account': 'Your account is deleted, and every session has ended.',
    'failed-try': 'This try may count as one with a wrong password. Try again in a moment.',
    rename: 'The name is saved.',
  },
  /** There was no response, so the outcome is unknown. */
  unknown: {
    'sign-up':
      'It may have been done: sign in with the name and the password that you chose. If they are refused, sign up again.',
    'sign-in':
      'You are not signed in here, and a session that this browser had before may have ended. Sign in again.',
    'sign-out': 'It may have been done. To be sure, sign out again.',
    'end-one': 'It may have been done: look at your sessions.',
    'end-some': 'It may have been done: look at your sessions.',
    'answer-moves': 'It may have been recorded: look at your sessions.',
    'end-others': 'It may have been done, and this browser may be signed out as well: look at your sessions.',
    'end-all': 'It may have been done: look at your sessions. If you are asked to sign in, it was.',
    'change-password':
      'It may have been done, and this browser may be signed out: sign in with the new password. If it is refused, the old one still holds.',
    'step-up':
      'This browser may be signed out. What you asked for was not done: look at your sessions, and ask again.',
    'delete-account': 'It may have been done: look at your account. If you cannot sign in, it was.',
    'failed-try': 'This try may count as one with a wrong password. Try again in a moment.',
    rename: 'It may have been done: look for the name among your sessions.',
  },
  /** Added after a change that happened. */
  signInHere: 'This browser is not signed in. Sign in again.',
  next: {
    '/login': 'Sign in',
    '/sessions': 'Your sessions',
    '/account': 'Your account',
  },
};
