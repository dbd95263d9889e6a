/** The response to too many attempts: how long to wait before the next one. */
export type Wait = { waitSeconds: number };

/** Why something was refused: a sentence, or a wait, which the page counts down (`ErrorText`). */
export type ErrorText = string | Wait;

export function isErrorText(value: unknown): value is ErrorText {
  return typeof value === 'string' || (typeof value === 'object' && value !== null && 'waitSeconds' in value);
}

/** Says that there were too many attempts. */
export const throttled = (seconds: number) => `Too many tries. Try again in ${wait(seconds)}.`;

/** Minutes are rounded up, so that nobody is told to come back too early. */
function wait(seconds: number): string {
  if (seconds < 90) return seconds === 1 ? '1 second' : `${seconds} seconds`;
  return `${Math.ceil(seconds / 60)} minutes`;
}
