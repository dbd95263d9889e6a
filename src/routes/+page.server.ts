import type { PageServerLoadEvent } from './$types';

/** Open to everyone. */
export const load = ({ locals: { hasRace, sourceUrl } }: PageServerLoadEvent) => ({ hasRace, sourceUrl });
