import { globSync, readFileSync } from 'node:fs';
import { parse, type AST } from 'svelte/compiler';
import { expect, test } from 'vitest';

const components = globSync('src/**/*.svelte');

test('no block begins or ends with bare text, which Svelte could not remove once a translator has replaced it', () => {
  expect(components.length).toBeGreaterThan(20);
  expect(components.flatMap((file) => bareEdges(file, readFileSync(file, 'utf8')))).toEqual([]);
});

test('bare text at the edge of a block is found', () => {
  const source = '{#if a}<p>fine</p>{:else}{b} <i>c</i>{/if}<p>{#each d as e (e)}<b>{e}</b>,{/each}</p>';
  expect(bareEdges('x', source)).toEqual(['x: {b} <i>c</i>', 'x: <b>{e}</b>,']);
});

/** Returns the contents of every block that Svelte may remove by itself and that begins or ends with text. */
function bareEdges(file: string, source: string): string[] {
  const found: string[] = [];
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) return value.forEach(visit);
    if (typeof value !== 'object' || value === null) return;
    if (isBlock(value)) {
      for (const fragment of fragmentsOf(value)) {
        const nodes = fragment.nodes.filter(isShown);
        const [first, last] = [nodes[0], nodes.at(-1)];
        if (!first || !last || ![first, last].some(isText)) continue;
        found.push(`${file}: ${source.slice(first.start, last.end).trim()}`);
      }
    }
    Object.values(value).forEach(visit);
  };
  visit(parse(source, { modern: true }).fragment);
  return found;
}

type Block = AST.IfBlock | AST.EachBlock | AST.KeyBlock | AST.SnippetBlock;

function isBlock(value: object): value is Block {
  return 'type' in value && ['IfBlock', 'EachBlock', 'KeyBlock', 'SnippetBlock'].includes(String(value.type));
}

function fragmentsOf(block: Block): AST.Fragment[] {
  switch (block.type) {
    case 'IfBlock': {
      const isElseIf = block.alternate?.nodes[0]?.type === 'IfBlock';
      return [block.consequent, ...(block.alternate && !isElseIf ? [block.alternate] : [])];
    }
    case 'EachBlock':
      return [block.body, ...(block.fallback ? [block.fallback] : [])];
    case 'KeyBlock':
      return [block.fragment];
    case 'SnippetBlock':
      return [block.body];
  }
}

type Shown = AST.Fragment['nodes'][number];

const isShown = (node: Shown) =>
  node.type !== 'Comment' && node.type !== 'ConstTag' && !(node.type === 'Text' && node.data.trim() === '');

const isText = ({ type }: Shown) => type === 'Text' || type === 'ExpressionTag' || type === 'HtmlTag';
