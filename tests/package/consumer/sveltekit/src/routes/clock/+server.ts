import type { RequestHandler } from './$types';

const realNow = Date.now;
let ahead = 0;
Date.now = () => realNow.call(Date) + ahead;

/** Moves the clock of this Worker. */
export const POST: RequestHandler = async ({ request }) => {
  ahead += Number((await request.formData()).get('milliseconds'));
  return new Response(null, { status: 204 });
};
