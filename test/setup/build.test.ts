import { existsSync, rmSync, symlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { build, buildStamp, isBuilt } from '../../setup/build.mjs';
import { scratchDirectory, writeFiles } from './scratch.ts';

const how = { nodePath: process.execPath, say: () => {} };

function project(): string {
  const root = scratchDirectory();
  symlinkSync(join(import.meta.dirname, '..', '..', 'node_modules'), join(root, 'node_modules'));
  const compilerOptions = { module: 'nodenext', rootDir: '.', outDir: 'dist', declaration: true, types: [] };
  writeFiles(root, {
    'package.json': '{ "type": "module" }',
    'package-lock.json': '{}',
    'tsconfig.json': '{}',
    'tsconfig.build.json': JSON.stringify({ compilerOptions, include: ['bin', 'lib'] }),
    'bin/a.ts': 'export const a = 1;',
    'lib/b.ts': 'export const b: number = 2;',
    'lib/deep/c.ts': 'export const c = 3;',
  });
  return root;
}

describe('buildStamp', () => {
  test('stays the same as long as nothing is touched', () => {
    const root = project();
    expect(buildStamp(root)).toBe(buildStamp(root));
  });

  test.each<[string, (root: string) => void]>([
    ['a source is written again', (root) => utimesSync(join(root, 'lib/b.ts'), 1, 1)],
    ['a source is added', (root) => writeFiles(root, { 'lib/deep/d.ts': '' })],
    ['a source is removed', (root) => rmSync(join(root, 'lib/deep/c.ts'))],
    ['the settings change', (root) => writeFiles(root, { 'tsconfig.json': '{ }' })],
    ['other packages are installed', (root) => writeFiles(root, { 'package-lock.json': '{ }' })],
  ])('changes when %s', (_case, change) => {
    const root = project();
    const before = buildStamp(root);
    change(root);
    expect(buildStamp(root)).not.toBe(before);
  });
});

describe('build', () => {
  test('compiles, is then done, and leaves nothing of a source that is gone', async () => {
    const root = project();
    const stamp = buildStamp(root);
    expect(isBuilt(root, stamp)).toBe(false);
    await build(root, stamp, how);
    expect(isBuilt(root, stamp)).toBe(true);
    expect(existsSync(join(root, 'dist/lib/deep/c.js'))).toBe(true);

    rmSync(join(root, 'lib/deep/c.ts'));
    await build(root, buildStamp(root), how);
    expect(isBuilt(root, stamp)).toBe(false);
    for (const made of ['c.js', 'c.d.ts']) expect(existsSync(join(root, 'dist/lib/deep', made))).toBe(false);
    for (const made of ['b.js', 'b.d.ts']) expect(existsSync(join(root, 'dist/lib', made))).toBe(true);
  });

  test('fails with what the compiler found, and is not done', async () => {
    const root = project();
    writeFiles(root, { 'lib/b.ts': `export const b: number = 'two';` });
    const stamp = buildStamp(root);
    await expect(build(root, stamp, how)).rejects.toThrow(/^the build failed:\nlib\/b\.ts\(1,14\): error TS2322/);
    expect(isBuilt(root, stamp)).toBe(false);
  });
});
