/** What every script does first: respond to --help, and say in one sentence what keeps it from running. */
import { parseArgs } from 'node:util';
import { main, ROOT, StepFailed } from './processes.mjs';
import { configProblems, packagesProblem } from './preflight.mjs';

/** @typedef {Record<string, { type: 'string' } | { type: 'boolean' }>} Options */
/** @typedef {Record<string, string | boolean | undefined>} Values */

/**
 * Runs a script's body with its arguments, as `main` does. Arguments it does not know print `usage`, and end it with 1.
 * @param {{ usage: string, options?: Options, operands?: boolean, needs?: 'nothing' | 'packages' | 'bindings' }} script
 * `operands`: whether it takes words that are no options; `needs`: what has to be in order (the bindings, with the packages)
 * @param {(values: Values, operands: string[]) => Promise<number | void>} body returns the exit code
 */
export async function command({ usage, options = {}, operands = false, needs = 'bindings' }, body) {
  await main(async () => {
    const { values, positionals } = parse(usage, options, operands);
    if (values.help) {
      console.log(usage);
      return 0;
    }
    if (needs !== 'nothing') stopAt(packagesProblem(ROOT));
    if (needs === 'bindings') await requireBindings('wrangler.toml');
    return body(values, positionals);
  });
}

/**
 * @param {string} usage
 * @param {Options} options
 * @param {boolean} operands
 */
function parse(usage, options, operands) {
  try {
    const help = { type: /** @type {const} */ ('boolean'), short: 'h' };
    return parseArgs({ options: { ...options, help }, allowPositionals: operands });
  } catch (error) {
    throw new StepFailed(`${error instanceof Error ? error.message : error}\n\n${usage}`);
  }
}

/**
 * Throws `StepFailed` if a configuration lacks a binding of the app.
 *
 * @param {string} file
 */
export async function requireBindings(file) {
  stopAt((await configProblems(ROOT, { file, previews: false }))[0]);
}

/** @param {import('./preflight.mjs').Problem | null | undefined} problem */
function stopAt(problem) {
  if (problem) throw new StepFailed(`${problem.text}: ${problem.mend}.`);
}
