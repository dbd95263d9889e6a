/** Of too many tries. */
export const throttled = (seconds: number) => `Too many tries. Try again in ${wait(seconds)}.`;

/** Minutes are rounded up: whoever comes back then must not be too early. */
function wait(seconds: number): string {
  if (seconds < 90) return seconds === 1 ? '1 second' : `${seconds} seconds`;
  return `${Math.ceil(seconds / 60)} minutes`;
}
