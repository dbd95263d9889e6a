import type { PageServerLoadEvent } from './$types';

/** Open to all. */
export const load = ({ locals: { hasRace, sourceUrl } }: PageServerLoadEvent) => ({ hasRace, sourceUrl });
