import * as v from 'valibot';

const shape = v.object({
  active_expires: v.number(),
  name: v.optional(v.string()),
  device: v.object({ browser: v.nullable(v.string()), system: v.nullable(v.string()) }),
  place: v.object({ country: v.nullable(v.string()), city: v.nullable(v.string()) }),
});

/** What of a stored record says whose device it is of; `null` for what is no session's. */
export function factsOf(value: string): v.InferOutput<typeof shape> | null {
  try {
    const result = v.safeParse(shape, JSON.parse(value));
    return result.success ? result.output : null;
  } catch {
    return null;
  }
}

/** For the order alone: what was used later has the higher one. */
export const lastUseOf = (value: string): number => factsOf(value)?.active_expires ?? -Infinity;
