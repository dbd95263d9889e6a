import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'svelte/compiler';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

/** Attributes whose text is read or heard. */
const SPOKEN = ['alt', 'aria-label', 'aria-description', 'label', 'placeholder', 'title'];
/** A sentence, or a beginning of one: a capital letter, then more than one word. */
const SENTENCE = /^[A-Z][a-z’']*( [^ ]+)+/;

/**
 * Where sentences are for somebody else than the visitor of a page: whoever writes against the API or sends requests by hand,
 * whoever deploys, and the store's own messages.
 */
const FOR_DEVELOPERS = ['api.ts', 'plain-http.ts', 'refusal.ts', 'bindings.ts', 'stores.ts'];

/** Names of products, which are the same in every language. */
const NAMES = join('auth', 'device.ts');

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name));
}

describe('every user-facing word is in a words file, ready for translation', () => {
  const components = filesUnder('src').filter((file) => file.endsWith('.svelte'));
  const servers = [...filesUnder('src/routes'), ...filesUnder('src/lib/server')]
    .filter((file) => file.endsWith('.ts') && !file.endsWith('words.ts'))
    .filter((file) => !file.endsWith(NAMES))
    .filter((file) => !file.includes('kv-adapter') && !file.includes(join('routes', 'api')))
    .filter((file) => !FOR_DEVELOPERS.some((name) => file.endsWith(join('server', name))));

  it('finds what it looks for', () => {
    expect(
      wordsInMarkup('<p>Hello {name}</p><input placeholder="Your name" /><b title={words.x}>·</b>'),
    ).toEqual(['Hello', 'Your name']);
    expect(
      sentencesIn("fail(400, { error: 'Choose a session.' }); log(`[x] ${y}`); const a = 'Firefox';"),
    ).toEqual(['Choose a session.']);
    expect(sentencesIn('const text = `Use at least ${min} characters.`;')).toEqual(['Use at least ']);
  });

  it.each(components)('none is in the markup of %s', (file) => {
    expect(wordsInMarkup(readFileSync(file, 'utf8'))).toEqual([]);
  });

  it('none is in what loads, actions and the modules behind them answer', () => {
    expect(servers.length).toBeGreaterThan(20);
    const found = servers.flatMap((file) =>
      sentencesIn(readFileSync(file, 'utf8')).map((text) => `${file}: ${text}`),
    );
    expect(found).toEqual([]);
  });
});

/** Text with letters in it, between tags and in attributes that are read. */
function wordsInMarkup(source: string): string[] {
  const found: string[] = [];
  const visit = (node: unknown, attribute: string | null): void => {
    if (Array.isArray(node)) return node.forEach((part: unknown) => visit(part, attribute));
    if (typeof node !== 'object' || node === null) return;
    const { type, name, data } = { type: null, name: null, data: null, ...node };
    if (type === 'Text' && /\p{Letter}/u.test(String(data))) {
      if (attribute === null || SPOKEN.includes(attribute)) found.push(String(data).trim());
    }
    const inside = type === 'Attribute' ? String(name) : attribute;
    Object.values(node).forEach((part) => visit(part, inside));
  };
  visit(parse(source, { modern: true }).fragment, null);
  return found;
}

/** String literals that read like a sentence. */
function sentencesIn(source: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node)) {
      if (SENTENCE.test(node.text)) found.push(node.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('module.ts', source, ts.ScriptTarget.Latest, true));
  return found;
}
