import { number } from './report.mjs';

/**
 * One target: `value` is to be at most or at least a bound.
 * @typedef {{ what: string, value: number, spread?: number, atLeast?: number, atMost?: number, digits?: number, why?: string }} Target `spread`: between rounds, a share of the value; `why` says what it is missed for
 */

/** @param {Target} target */
export function isMet({ value, atLeast = -Infinity, atMost = Infinity }) {
  return value >= atLeast && value <= atMost;
}

/** The row of a target: what, bound, value, met or missed by how much, and why. @param {Target} target */
export function targetRow(target) {
  const { what, value, spread = 0, atLeast, atMost, digits = 2, why } = target;
  const bound = atLeast ?? atMost ?? NaN;
  const text = `${atLeast === undefined ? '≤' : '≥'} ${number(bound, digits)}`;
  const distance = Math.abs(value - bound);
  const verdict = isMet(target) ? 'met' : `missed by ${number(distance, digits)}`;
  const doubt = distance < value * spread ? ', within the noise' : '';
  const shown = number(value, digits) + (spread ? ` ± ${number(value * spread, digits)}` : '');
  return [what, text, shown, verdict + doubt, isMet(target) ? '' : (why ?? '')];
}
