/** Follows the adapter's README exactly in an empty project: its commands, with the packages from the registry, and its files. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';

const ADAPTER = 'src/lib/server/kv-adapter';
const STEP_MILLISECONDS = 600_000;
/** What a SvelteKit project has before its author reads that README. */
const PROJECT = ['@sveltejs/kit@2', 'svelte@5', 'vite@8', '@sveltejs/vite-plugin-svelte@7', 'typescript@6'];

const run = promisify(execFile);
let project: string;

const inProject = (command: string) => run('sh', ['-ec', command], { cwd: project });

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'adapter-readme-'));
  await writeFile(join(project, 'package.json'), '{ "private": true, "type": "module" }');
  await cp(ADAPTER, join(project, ADAPTER), { recursive: true });
  // The contract suite is only for projects that run it, and needs vitest.
  await rm(join(project, ADAPTER, 'contract'), { recursive: true, force: true });
  await inProject(`npm install --no-audit --no-fund --save-dev ${PROJECT.join(' ')}`);
}, STEP_MILLISECONDS);

afterAll(() => rm(project, { recursive: true }));

it(
  'the README’s example installs, generates and type-checks unchanged',
  async () => {
    const readme = await readFile(join(ADAPTER, 'README.md'), 'utf8');
    const use = readme.split('\n## Use\n')[1]?.split('\n## ')[0] ?? '';
    const blocks = [...use.matchAll(/```(\w+)\n([^]*?)```/g)].map(([, kind, text = '']) => ({ kind, text }));
    const files: string[] = [];
    for (const { kind, text } of blocks) {
      const path = /^\/\/ ([\w./-]+\.(?:ts|prisma))\b/.exec(text)?.[1];
      if (kind === 'sh') await inProject(text);
      if (!path) continue;
      files.push(path);
      await mkdir(dirname(join(project, path)), { recursive: true });
      await writeFile(join(project, path), text);
    }
    expect(files).toEqual([
      'prisma.config.ts',
      'prisma/schema.prisma',
      'src/lib/server/lucia.ts',
      'src/hooks.server.ts',
      'src/app.d.ts',
    ]);
    const compilerOptions = {
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      module: 'esnext',
      moduleResolution: 'bundler',
      target: 'es2024',
      lib: ['es2024', 'dom', 'dom.iterable'],
      types: ['@cloudflare/workers-types'],
      paths: { '$lib/*': ['./src/lib/*'] },
    };
    await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['src'] }));
    const errors = await inProject('npx tsc --project .').then(
      () => '',
      (error: { stdout: string }) => error.stdout,
    );
    expect(errors).toBe('');
  },
  STEP_MILLISECONDS,
);
