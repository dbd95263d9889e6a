/** The words of the error page: apart from the start page's, because every page carries these. */
type ErrorWords = { title: string; text: string };

const ERRORS: Record<number, ErrorWords> = {
  403: {
    title: 'This was refused',
    text: 'The request did not come from a page of this site. Open the page again and repeat what you did.',
  },
  404: { title: 'No such page', text: 'Check the address, or begin at the start page.' },
  405: {
    title: 'This cannot be done here',
    text: 'Nothing was changed. Begin at the start page.',
  },
  413: {
    title: 'Too long',
    text: 'Nothing was changed. Send less, and try again.',
  },
  429: { title: 'Too many tries', text: 'Wait a little before you try again.' },
  503: {
    title: 'Not available right now',
    text: 'Your sessions are as they were and you are still signed in where you were. Try again in a moment.',
  },
};

/** What the server says of a failure; a page for it has the words above as well. */
export const answers = {
  noPage: 'There is no page here.',
  noAction: 'This page cannot do that. Open it again and repeat what you did.',
  unproven: 'This session is bound to its device, and this request brought no proof of it.',
  store: {
    KV: 'The session store (Workers KV) did not answer.',
    D1: 'The database (D1) did not answer.',
  },
};

const REFUSED: ErrorWords = {
  title: 'This was refused',
  text: 'Open the page again and repeat what you did.',
};

const FAULT: ErrorWords = {
  title: 'Something went wrong',
  text: 'It is our fault, not yours. Try again in a moment.',
};

/** A session that is bound to its device, and a request without the proof. */
const UNPROVEN: Record<'retry' | 'sign-in', ErrorWords> = {
  retry: {
    title: 'One moment',
    text: 'Your session is bound to this device. Your browser is proving that it is here, and the page opens by itself.',
  },
  'sign-in': {
    title: 'Your browser could not prove that this is your device',
    text: 'You are still signed in, but this session is bound to a device, and the proof did not come. Try again, or sign in again.',
  },
};

export const errorPage = {
  of: (status: number, unproven?: 'retry' | 'sign-in'): ErrorWords =>
    unproven ? UNPROVEN[unproven] : (ERRORS[status] ?? (status < 500 ? REFUSED : FAULT)),
  code: (status: number) => `Error ${status}`,
  tryAgain: 'Try again',
  signInAgain: 'Sign in again',
  home: 'Start page',
};
