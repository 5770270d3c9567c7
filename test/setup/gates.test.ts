import { spawnSync } from 'node:child_process';
import { cpSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { scratchDirectory, writeFiles } from './scratch.ts';

// A gate that silently checks nothing looks like a clean tree, so each is shown to close. The rules of the architecture
// are shown in architecture.test.ts.

const root = join(import.meta.dirname, '..', '..');

/** A small project under this project's own settings, with one sound program in it. */
function project(planted: Readonly<Record<string, string>>): string {
  const dir = scratchDirectory();
  for (const file of ['biome.json', 'tsconfig.json', 'knip.json', 'package.json', '.gitignore']) {
    cpSync(join(root, file), join(dir, file));
  }
  symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'));
  writeFiles(dir, {
    'bin/bcast.ts': "import { greeting } from '../lib/greeting.ts';\n\nprocess.stdout.write(greeting);\n",
    'lib/greeting.ts': "export const greeting = 'hello';\n",
    ...planted,
  });
  return dir;
}

function run(dir: string, tool: readonly string[]): { status: number | null; output: string } {
  const [script = '', ...args] = tool;
  const options = { cwd: dir, encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } } as const;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'node_modules', script), ...args],
    options,
  );
  return { status, output: stdout + stderr };
}

const LINT = ['@biomejs/biome/bin/biome', 'check', '--error-on-warnings', 'bin', 'lib'];
const TYPES = ['typescript/bin/tsc'];
const DEAD_CODE = ['knip/bin/knip.js', '--no-progress', '--include', 'files,exports,dependencies,types'];

describe('format and lint', () => {
  test('pass a sound project', () => {
    expect(run(project({}), LINT)).toMatchObject({ status: 0 });
  });

  test.each([
    ['a format that is not ours', 'export const a = "double"\n', 'Formatter would have printed'],
    ['imports out of order', "import { b } from './b.ts';\nimport { a } from './a.ts';\n\na(b);\n", 'organizeImports'],
    ['any', 'export const a = (b: any): string => b.c;\n', 'noExplicitAny'],
    ['a non-null assertion', 'export const a = (b?: string): string => b!;\n', 'noNonNullAssertion'],
    ['a default export', 'export default 1;\n', 'noDefaultExport'],
    ['an import that is only a type', "import { A } from './a.ts';\n\nexport type B = A;\n", 'useImportType'],
    ['console in lib', "export const a = () => console.log('');\n", 'noConsole'],
    [
      'a promise nobody waits for',
      'export async function a() {}\nexport function b() {\n  a();\n}\n',
      'noFloatingPromises',
    ],
    [
      'a case that is missing',
      "export function a(b: 'x' | 'y') {\n  switch (b) {\n    case 'x':\n      return 1;\n  }\n}\n",
      'useExhaustiveSwitchCases',
    ],
    ['a name that is not used', 'export function a() {\n  const b = 1;\n}\n', 'noUnusedVariables'],
    [
      'a package only tests may have',
      "import { parseSync } from 'oxc-parser';\n\nparseSync('', '');\n",
      'noUndeclaredDependencies',
    ],
    ['a package that is not ours', "import { a } from 'left-pad';\n\na();\n", 'noUndeclaredDependencies'],
  ])('stop %s', (_what, source, rule) => {
    const { status, output } = run(project({ 'lib/planted.ts': source }), LINT);
    expect(output).toContain(rule);
    expect(status).not.toBe(0);
  });
});

describe('types', () => {
  test('pass a sound project', () => {
    expect(run(project({}), TYPES)).toMatchObject({ status: 0 });
  });

  test.each([
    ['a wrong type', 'lib/planted.ts', "export const a: number = 'b';\n", 'TS2322'],
    ['a wrong type in JavaScript', 'lib/planted.mjs', "/** @type {number} */\nexport const a = 'b';\n", 'TS2322'],
    ['an element that may be missing', 'lib/planted.ts', 'export const a = (b: string[]): string => b[0];\n', 'TS2322'],
    ['syntax that needs a compiler', 'lib/planted.ts', 'export enum A {\n  B,\n}\n', 'TS1294'],
  ])('stop %s', (_what, path, source, code) => {
    const { status, output } = run(project({ [path]: source }), TYPES);
    expect(output).toContain(code);
    expect(status).not.toBe(0);
  });
});

describe('dead code', () => {
  const unused = /^(?:lib\/\S+|\w+)\s/gm;

  test('finds an export, a type and a file that nobody uses', () => {
    const { status, output } = run(
      project({
        'lib/greeting.ts':
          "export const greeting = 'hello';\nexport const farewell = 'bye';\nexport type Mood = string;\n",
        'lib/forgotten.ts': 'export const forgotten = 1;\n',
      }),
      DEAD_CODE,
    );
    expect(output.match(unused)?.map((line) => line.trim())).toEqual(
      expect.arrayContaining(['lib/forgotten.ts', 'farewell', 'Mood']),
    );
    expect(output).not.toMatch(/\bgreeting\b(?!\.ts)/);
    expect(status).not.toBe(0);
  });

  test('finds a dependency that nobody uses', () => {
    expect(run(project({}), DEAD_CODE).output).toMatch(/Unused dependencies[\s\S]*tweetnacl/);
  });
});
