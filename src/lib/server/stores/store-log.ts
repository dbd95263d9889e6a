const INTERVAL_MILLISECONDS = 1_000;

let lastAt = -Infinity;
let unsaid = 0;

/**
 * Logs that a store failed or was asked again. A store that is down fails in every request, so this writes at most one line per second and
 * isolate. `more`: how many were left out since the last line.
 */
export function logStore(
  event: 'store-unavailable' | 'store-asked-again',
  details: { store: string; operation: string; message: string },
): void {
  const now = Date.now();
  // A clock that was set back must not silence the log.
  if (Math.abs(now - lastAt) < INTERVAL_MILLISECONDS) {
    unsaid += 1;
    return;
  }
  console.error(JSON.stringify({ event, ...details, ...(unsaid > 0 && { more: unsaid }) }));
  lastAt = now;
  unsaid = 0;
}
