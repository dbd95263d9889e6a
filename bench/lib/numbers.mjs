/** @param {number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = NaN, high = NaN] = [sorted[middle - 1], sorted[middle]];
  return sorted.length % 2 ? high : (low + high) / 2;
}

/** Half of what lies between the quarters, as a share of the median: how far a typical round is off. @param {number[]} values */
export function spread(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (/** @type {number} */ share) => sorted[Math.round(share * (sorted.length - 1))] ?? NaN;
  return (at(0.75) - at(0.25)) / 2 / median(values);
}

/** Twice the standard error of the median, as a share of it: 1.25 σ / √n, with σ = 1.48 times the spread, as of a normal distribution. @param {number[]} values */
export function doubt(values) {
  return (2 * 1.25 * 1.48 * spread(values)) / Math.sqrt(values.length);
}

/** @param {number} value @param {number} [digits] */
export function number(value, digits = 0) {
  if (Number.isNaN(value)) return '–';
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** @param {number} share */
export const percent = (share) => (Number.isNaN(share) ? '–' : `${number(share * 100)} %`);

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
