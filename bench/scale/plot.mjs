/** @typedef {{ model: string, asks: string, accepted: number[] }} Curve */

const WIDTH = 760;
const HEIGHT = 330;
const LEFT = 56;
const RIGHT = 24;
const TOP = 48;
const BOTTOM = 48;
const GRID_SECONDS = 30;
const LEGEND = 380;

const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328; }
  .title { font-weight: 600; }
  .soft { fill: #59636e; }
  .grid { stroke: #d1d9e0; }
  .curve { fill: none; stroke-width: 2.5; stroke-linejoin: round; }
  .c0 { stroke: #0969da; }
  .c1 { stroke: #9a6700; }
  .c2 { stroke: #8250df; }
  .c3 { stroke: #1a7f37; stroke-width: 4; }
  .ground { fill: #ffffff; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .soft { fill: #9198a1; }
    .grid { stroke: #3d444d; }
    .c0 { stroke: #4493f8; }
    .c1 { stroke: #d29922; }
    .c2 { stroke: #ab7df8; }
    .c3 { stroke: #3fb950; }
    .ground { fill: #0d1117; }
  }`;

/**
 * The share of places that still greet an ended session, over the seconds since its end, as SVG. What does not depend on KV is one line for
 * all models, at the highest of them.
 * @param {number[]} seconds
 * @param {Curve[]} curves
 */
export function drawVisibility(seconds, curves) {
  const end = seconds.at(-1) ?? 1;
  const x = (/** @type {number} */ second) => LEFT + (second / end) * (WIDTH - LEFT - RIGHT);
  const y = (/** @type {number} */ share) => HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);
  const line = (/** @type {number[]} */ shares) =>
    shares
      .map((share, i) => `${i === 0 ? 'M' : 'L'}${x(seconds[i] ?? 0).toFixed(1)} ${y(share).toFixed(1)}`)
      .join('');
  const highest = (/** @type {string} */ wanted) => {
    const some = curves.filter(({ asks }) => asks === wanted);
    return seconds.map((_, i) => Math.max(...some.map(({ accepted }) => accepted[i] ?? 0)));
  };
  const records = curves.filter(({ asks }) => asks === 'record');
  const drawn = [
    ...records.map(({ model, accepted }, i) => ({ name: `KV alone: ${model}`, class: `c${i}`, accepted })),
    { name: 'a page view here, on either KV', class: 'c2', accepted: highest('peek') },
    { name: 'an account page here, on either KV', class: 'c3', accepted: highest('require') },
  ];
  const shares = [0, 0.25, 0.5, 0.75, 1].map(
    (share) => `<path class="grid" d="M${LEFT} ${y(share)}H${WIDTH - RIGHT}"/>
<text class="soft" x="${LEFT - 8}" y="${y(share) + 4}" text-anchor="end">${share * 100} %</text>`,
  );
  const times = seconds
    .filter((second) => second % GRID_SECONDS === 0)
    .map(
      (second) =>
        `<text class="soft" x="${x(second)}" y="${HEIGHT - BOTTOM + 20}" text-anchor="middle">${second} s</text>`,
    );
  const legend = drawn.map(({ name, class: kind }, i) => {
    const at = TOP + 14 + i * 18;
    return `<path class="curve ${kind}" d="M${LEGEND} ${at}h24"/><text x="${LEGEND + 32}" y="${at + 4}">${name}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="The share of places that still greet an ended session, by the seconds since its end">
<style>${STYLE}
</style>
<rect class="ground" width="${WIDTH}" height="${HEIGHT}"/>
<text class="title" x="16" y="28">Places that still greet an ended session, by the time since its end was answered</text>
${shares.join('\n')}
${times.join('\n')}
${legend.join('\n')}
${drawn.map(({ class: kind, accepted }) => `<path class="curve ${kind}" d="${line(accepted)}"/>`).join('\n')}
</svg>
`;
}
