import { dollarsPerMillion, noCost, PRICES, type Cost, type Operation } from '../cost';

const NAMES: Record<keyof Cost, string> = {
  kvReads: 'KV read',
  kvWrites: 'KV write',
  kvLists: 'KV list',
  kvDeletes: 'KV delete',
  d1Queries: 'D1 query',
};

/**
 * Returns the markup of the cost line under every page: a bar for each operation, with KV and D1 side by side, and a sentence. The server
 * writes it into the page (src/app.html). The browser writes it again when other data arrives. It contains only numbers and the words in
 * this file.
 */
export function costMarkup(cost: Cost, operations: Operation[], isPageView: boolean): string {
  const end = Math.max(...operations.map(({ start, duration }) => start + duration), 1);
  const bars = operations.map((operation) => bar(operation, end)).join('');
  return `${bars && `<ol>${bars}</ol>`}<p>This page cost ${costInWords(cost, isPageView)}. ${split(cost, operations)}Prices: ${link(PRICES.kv, 'Workers KV')}, ${link(PRICES.d1, 'D1')}.</p>`;
}

/** One bar: when an operation ran and how long it took, on the request's time scale. */
function bar({ kind, count, isCheck, start, duration }: Operation, end: number): string {
  const percent = (milliseconds: number) => ((milliseconds / end) * 100).toFixed(1);
  const store = kind === 'd1Queries' ? 'd1' : 'kv';
  // A read that was too fast to measure still gets a visible bar.
  const width = Math.max(Number(percent(duration)), 1);
  return `<li class="${store}"><span>${isCheck ? 'Check' : 'Content'}</span><span>${times(count, kind)}</span><svg viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true"><rect x="${Math.min(Number(percent(start)), 99)}" width="${width}" height="1"/></svg><span>${duration.toFixed(1)} ms</span></li>`;
}

/** "The check: 1 KV read, 1 D1 query; this page's content: 1 KV list." Empty if no store was asked. */
function split(cost: Cost, operations: Operation[]): string {
  const check = noCost();
  for (const { kind, count, isCheck } of operations) if (isCheck) check[kind] += count;
  const content = noCost();
  for (const kind of kinds()) content[kind] = cost[kind] - check[kind];
  if (kinds().every((kind) => check[kind] === 0)) return '';
  return `The check: ${used(check)}; this page’s content: ${used(content)}. `;
}

const kinds = () => Object.keys(NAMES) as (keyof Cost)[];

function used(cost: Cost): string {
  const parts = kinds().flatMap((kind) => (cost[kind] > 0 ? times(cost[kind], kind) : []));
  return parts.join(' + ') || 'nothing';
}

/**
 * "1 KV read, 0 D1 queries, $0.50 per million such pages". Kinds with a count of zero are left out, except for these two. An action shows
 * no price, because it writes to D1, which costs far more than a read.
 */
export function costInWords(cost: Cost, isPageView: boolean): string {
  const always = ['kvReads', 'd1Queries'];
  const parts = kinds().flatMap((kind) =>
    cost[kind] > 0 || always.includes(kind) ? times(cost[kind], kind) : [],
  );
  if (isPageView) parts.push(`$${dollarsPerMillion(cost).toFixed(2)} per million such pages`);
  return parts.join(', ');
}

/** "1 KV read", "2 D1 queries". */
function times(count: number, kind: keyof Cost): string {
  const name = NAMES[kind];
  if (count === 1) return `1 ${name}`;
  return `${count} ${kind === 'd1Queries' ? 'D1 queries' : `${name}s`}`;
}

function link(address: string, text: string): string {
  return `<a href="${address}">${text}</a>`;
}
