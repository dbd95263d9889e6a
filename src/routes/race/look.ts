import * as v from 'valibot';

const pane = v.object({ account: v.boolean(), view: v.boolean() });

/** What the two devices can open at one moment: for each page, whether it lets them in. Times are epoch milliseconds of the server's clock. */
export const lookSchema = v.nullable(
  v.object({ now: v.number(), endedAt: v.nullable(v.number()), naive: pane, ours: pane }),
);
/** `null` if there is no race. */
export type Look = v.InferOutput<typeof lookSchema>;

export const SIDES = ['naive', 'ours'] as const;
export const PAGES = ['account', 'view'] as const;
