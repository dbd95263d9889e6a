import { number } from './report.mjs';

/**
 * One target: `value` is to be at most or at least `bound`.
 * @typedef {{ what: string, value: number, atLeast?: number, atMost?: number, digits?: number, why?: string }} Target `why` says what it is missed for
 */

/** @param {Target} target */
export function isMet({ value, atLeast = -Infinity, atMost = Infinity }) {
  return value >= atLeast && value <= atMost;
}

/** The row of a target: what, bound, value, met or missed by how much, and why. @param {Target} target */
export function targetRow(target) {
  const { what, value, atLeast, atMost, digits = 2, why } = target;
  const bound = atLeast ?? atMost ?? NaN;
  const text = `${atLeast === undefined ? '≤' : '≥'} ${number(bound, digits)}`;
  const verdict = isMet(target) ? 'met' : `missed by ${number(Math.abs(value - bound), digits)}`;
  return [what, text, number(value, digits), verdict, isMet(target) ? '' : (why ?? '')];
}
