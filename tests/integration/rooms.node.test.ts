/** The folders of `src/lib/server` import in one direction only, and the two functions that create session types stay in their places. */
import { ESLint } from 'eslint';
import ts from 'typescript-eslint';
import { expect, it } from 'vitest';
import rooms from '../../eslint.rooms.js';

const eslint = new ESLint({
  overrideConfigFile: true,
  overrideConfig: [{ files: ['**/*.ts'], languageOptions: { parser: ts.parser } }, ...rooms],
});

async function complaints(filePath: string, code: string): Promise<string[]> {
  const [result] = await eslint.lintText(code, { filePath });
  return (result?.messages ?? []).map(({ ruleId }) => ruleId ?? 'parse error');
}

const importing = (what: string, from: string) => `import { ${what} } from '${from}';\nvoid ${what};\n`;

it.each([
  ['stores/x.ts', 'createLedger', '../sessions/ledger'],
  ['sessions/x.ts', 'createThrottle', '../throttle/throttle'],
  ['sessions/x.ts', 'redirect', '@sveltejs/kit'],
  ['sessions/x.ts', 'form', '$lib/words/form'],
  ['throttle/x.ts', 'createKeys', '../accounts/keys'],
  ['accounts/x.ts', 'formAction', '../http/action'],
  ['accounts/x.ts', 'createAuth', '../auth'],
  ['accounts/x.ts', 'confirmed', '../sessions/confirmed'],
  ['http/x.ts', 'proven', '../sessions/proof'],
  ['sessions/x.ts', 'proven', './proof'],
  ['kv-adapter/x.ts', 'prepare', '../stores/sql'],
  ['revocable/x.ts', 'createKeys', '../accounts/keys'],
  ['revocable/x.ts', 'confirmed', '../sessions/confirmed'],
])('%s may not import %s from %s', async (file, what, from) => {
  expect(await complaints(`src/lib/server/${file}`, importing(what, from))).toEqual([
    'no-restricted-imports',
  ]);
});

it('a route may not create a proof by itself', async () => {
  const code = importing('proven', '$lib/server/sessions/proof');
  expect(await complaints('src/routes/x/+page.server.ts', code)).toEqual(['no-restricted-imports']);
});

it.each([
  ['sessions/x.ts', 'prepare', '../stores/sql'],
  ['accounts/x.ts', 'proven', '../sessions/proof'],
  ['revocable/x.ts', 'proven', '../sessions/proof'],
  ['http/x.ts', 'Throttled', '../throttle/throttle'],
])('%s may import %s from %s', async (file, what, from) => {
  expect(await complaints(`src/lib/server/${file}`, importing(what, from))).toEqual([]);
});
