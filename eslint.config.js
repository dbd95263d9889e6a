import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import svelte from 'eslint-plugin-svelte';
import { defineConfig, globalIgnores } from 'eslint/config';
import globals from 'globals';
import ts from 'typescript-eslint';
import rooms from './eslint.rooms.js';
import svelteConfig from './svelte.config.js';

const FOCUSED_OR_SKIPPED = [
  {
    selector:
      'MemberExpression[property.name=/^(only|todo|fixme)$/], CallExpression > MemberExpression.callee[property.name="skip"]',
    message: 'Every test runs, every time: no only, skip, todo or fixme.',
  },
  {
    selector: 'CallExpression > MemberExpression[property.name="waitForTimeout"]',
    message: 'No sleeps: wait for what is to happen.',
  },
  {
    selector: 'Literal[value="networkidle"]',
    message: 'A silent network says nothing: wait for what is to be seen.',
  },
];

export default defineConfig(
  globalIgnores([
    '.svelte-kit/',
    '.wrangler/',
    'bench/.build/',
    'dist/',
    'node_modules/',
    'coverage/',
    'test-results/',
    'playwright-report/',
  ]),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  ts.configs.strict,
  svelte.configs.recommended,
  prettier,
  svelte.configs.prettier,
  {
    languageOptions: { globals: { ...globals.browser, ...globals.node } },
    rules: {
      // The type checker knows better (typescript-eslint.io/troubleshooting/faqs/eslint).
      'no-undef': 'off',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // `Promise<void> | void` is what a callback that may be asynchronous gives.
      '@typescript-eslint/no-invalid-void-type': 'off',
      eqeqeq: 'error',
      // The routes are plain paths at the root of a host, and the app has no base path.
      'svelte/no-navigation-without-resolve': 'off',
    },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser, extraFileExtensions: ['.svelte'], svelteConfig } },
  },
  {
    // What only types can tell; a promise nobody waits for is the usual way to lose an error.
    files: ['src/**/*.ts', 'tests/**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, extraFileExtensions: ['.svelte'] } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
    },
  },
  {
    files: ['tests/**'],
    rules: {
      'no-restricted-syntax': ['error', ...FOCUSED_OR_SKIPPED],
      // In a test a wrong `!` is a red test, with its line.
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  {
    // Playwright reads the fixtures a fixture asks for from this pattern, `{}` for none.
    files: ['tests/e2e/fixtures.ts', 'tests/deploy/rehearsal.ts'],
    rules: { 'no-empty-pattern': 'off' },
  },
  ...rooms,
);
