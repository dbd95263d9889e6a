import { isolated } from '$lib/isolated';

/** What is wrong with a form, and what to do about it. Only the server imports these texts, because it checks every form. */
export const form = {
  unreadable: "We couldn't read that form. Reload the page and try again.",
  tooLong: 'This is longer than any form of this site. Send less, and try again.',
  username: {
    missing: 'Enter a username.',
    tooShort: (min: number) => `Use at least ${min} characters.`,
    tooLong: (max: number) => `Use at most ${max} characters.`,
    characters: 'Use letters a–z, digits, dots, hyphens and underscores, and begin with a letter or digit.',
    impossible: 'No username is that long.',
    badge: 'This reads like a label of this site. Choose another.',
  },
  newPassword: {
    missing: 'Enter a password.',
    tooShort: (min: number) => `Use at least ${min} characters.`,
    tooLong: (max: number) => `Use at most ${max} characters.`,
    mostUsed:
      'This is one of the most used passwords, and those are guessed first. Choose another: a few unrelated words make a good one.',
    context:
      'This is little more than your username or this site’s name, and those are guessed first. Choose a password without them.',
    same: 'That is already your password. Choose another.',
    breached:
      'This password has leaked from another site, so guessers have it on their lists. Choose one that you use nowhere else.',
  },
  password: {
    missing: 'Enter your password.',
    wrong: 'That is not your password.',
  },
  /** For a text that others will read. */
  text: {
    unseen: () =>
      'This has characters that nobody can see, or that turn the line around. Type it again without them.',
    marks: () => 'This has more accents on one letter than can be shown. Type it again with fewer.',
    'too-long': (max: number) => `Use at most ${max} characters.`,
    badge: () => 'This reads like one of the labels in this list. Choose another name.',
  },
  session: {
    missing: 'Choose a session.',
    tooMany: (max: number) => `Choose at most ${max} sessions.`,
    nameMissing: 'Enter a name.',
  },
  otherUser: (username: string) =>
    `You are signed in as ${isolated(username)}. This form was made for another account, so nothing was done. Reload the page to see this account.`,
  noCookies:
    'Your browser sent no cookie, so nothing was done: without one it cannot stay signed in. Allow cookies for this site, then try again. If this page was open for long, try again at once.',
};
