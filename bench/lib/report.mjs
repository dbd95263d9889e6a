import { median, spread } from './load.mjs';

/** @typedef {import('./load.mjs').Slot} Slot */

/** @param {number} value @param {number} [digits] */
export function number(value, digits = 0) {
  if (Number.isNaN(value)) return '–';
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** @param {number} share */
export const percent = (share) => `${number(share * 100)} %`;

/**
 * A ratio of two subjects: by round, so that what slowed a round down slowed both.
 * @param {Slot[]} slots
 * @param {Slot[]} floor
 * @param {'perSecond' | 'cpu' | 'milliseconds'} what
 */
export function ratio(slots, floor, what) {
  const ratios = slots.map((slot, round) => slot[what] / (floor[round]?.[what] ?? NaN));
  return { value: median(ratios), spread: spread(ratios) };
}

/**
 * A table in Markdown, padded so that it reads in a terminal too. Columns after the first are set to the right.
 * @param {string[]} head
 * @param {string[][]} rows
 */
export function table(head, rows) {
  const widths = head.map((text, n) => Math.max(text.length, ...rows.map((row) => row[n]?.length ?? 0)));
  const line = (/** @type {string[]} */ cells) =>
    `| ${cells.map((text, n) => (n === 0 ? text.padEnd(widths[n] ?? 0) : text.padStart(widths[n] ?? 0))).join(' | ')} |`;
  const rule = `| ${widths.map((width, n) => (n === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}

/** "1 KV get, 1 D1" @param {Record<string, number>} counts */
export function operations(counts) {
  const words = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
  return words.length > 0 ? words.join(', ') : 'none';
}
