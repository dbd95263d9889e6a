/** The texts of the error page. They are apart from the start page's because every page loads them. */
type ErrorWords = { title: string; text: string };

const ERRORS: Record<number, ErrorWords> = {
  400: {
    title: 'This could not be read',
    text: 'Check the address, or go back and open the page again.',
  },
  403: {
    title: 'This was refused',
    text: 'The request did not come from a page of this site. Open the page again.',
  },
  404: { title: 'No such page', text: 'Check the address, or begin at the start page.' },
  405: {
    title: 'This cannot be done here',
    text: 'Nothing was changed. Begin at the start page.',
  },
  409: {
    title: 'This was made for another account',
    text: 'Nothing was changed. Go back to the start page to see who is signed in here.',
  },
  413: {
    title: 'Too long',
    text: 'Nothing was changed. Send less, and try again.',
  },
  429: { title: 'Too many tries', text: 'Wait a little before you try again.' },
  503: {
    title: 'Not available right now',
    text: 'Try again in a moment.',
  },
};

/** What the server says about a failure. An error page shows the texts above as well. */
export const answers = {
  noPage: 'There is no page here.',
  noAction: 'This page cannot do that. Open it again.',
  store: {
    KV: 'The session store (Workers KV) did not answer.',
    D1: 'The database (D1) did not answer.',
  },
};

const REFUSED: ErrorWords = {
  title: 'This was refused',
  text: 'Open the page again.',
};

const FAULT: ErrorWords = {
  title: 'Something went wrong',
  text: 'It is our fault, not yours. Try again in a moment.',
};

export const errorPage = {
  of: (status: number): ErrorWords => ERRORS[status] ?? (status < 500 ? REFUSED : FAULT),
  code: (status: number) => `Error ${status}`,
  tryAgain: 'Try again',
  home: 'Start page',
};
