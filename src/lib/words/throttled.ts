/** An answer to too many tries: how long to wait for the next one. */
export type Wait = { waitSeconds: number };

/** What is said of what was refused: a sentence, or a wait, which the page counts down (`ErrorText`). */
export type ErrorText = string | Wait;

export function isErrorText(value: unknown): value is ErrorText {
  return typeof value === 'string' || (typeof value === 'object' && value !== null && 'waitSeconds' in value);
}

/** Of too many tries. */
export const throttled = (seconds: number) => `Too many tries. Try again in ${wait(seconds)}.`;

/** Minutes are rounded up: whoever comes back then must not be too early. */
function wait(seconds: number): string {
  if (seconds < 90) return seconds === 1 ? '1 second' : `${seconds} seconds`;
  return `${Math.ceil(seconds / 60)} minutes`;
}
