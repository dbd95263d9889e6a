import { median } from './load.mjs';
import { number } from './report.mjs';

/** @typedef {import('./subjects.mjs').Subject} Subject */
/** @typedef {import('./load.mjs').Slot} Slot */

const WIDTH = 760;
const LABELS = 300;
const ROW = 26;
const TOP = 44;
const VALUES = 60;

const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328; }
  .title { font-weight: 600; }
  .soft { fill: #59636e; }
  .floor { fill: #9aa4af; }
  .ours { fill: #0969da; }
  .peer { fill: #bc8a3a; }
  .range { stroke: #1f2328; }
  .ground { fill: #ffffff; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .soft { fill: #9198a1; }
    .range { stroke: #e6edf3; }
    .ground { fill: #0d1117; }
  }`;

/**
 * Requests a second as bars, with the range of the rounds.
 * @param {Subject[]} subjects
 * @param {Record<string, Slot[]>} slots
 */
export function plot(subjects, slots) {
  const rows = subjects.map((subject) => {
    const rates = (slots[subject.id] ?? []).map(({ perSecond }) => perSecond);
    return { ...subject, rate: median(rates), low: Math.min(...rates), high: Math.max(...rates) };
  });
  const scale = (WIDTH - LABELS - VALUES) / Math.max(...rows.map(({ high }) => high));
  const height = TOP + rows.length * ROW + 16;
  const bars = rows.map(({ title, kind, rate, low, high }, n) => {
    const y = TOP + n * ROW;
    const middle = y + ROW / 2 - 2;
    return `<text x="${LABELS - 8}" y="${middle + 5}" text-anchor="end">${escape(title)}</text>
  <rect class="${kind}" x="${LABELS}" y="${y}" width="${(rate * scale).toFixed(1)}" height="${ROW - 6}" rx="2"/>
  <path class="range" d="M${(LABELS + low * scale).toFixed(1)} ${middle}H${(LABELS + high * scale).toFixed(1)}"/>
  <text class="soft" x="${(LABELS + high * scale + 6).toFixed(1)}" y="${middle + 5}">${number(rate)}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="Requests a second: ${rows.map(({ title, rate }) => `${escape(title)} ${number(rate)}`).join('; ')}">
  <style>${STYLE}
  </style>
  <rect class="ground" width="${WIDTH}" height="${height}"/>
  <text class="title" x="16" y="24">Authenticated requests a second, in local workerd with local stores, 8 connections</text>
  ${bars.join('\n  ')}
</svg>
`;
}

/** @param {string} text */
function escape(text) {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;');
}
