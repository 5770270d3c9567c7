import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { missingOptionals } from '../../setup/complete-lock.mjs';

const root = join(import.meta.dirname, '..', '..');
const MADE = new Set(['.git', '.cache', 'coverage', 'dist', 'node_modules']);

function textFiles(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true })
    .filter(({ name }) => !MADE.has(name))
    .flatMap((entry) => {
      const path = join(dir, entry.name);
      if (entry.isDirectory()) return textFiles(path);
      return entry.isFile() && !/\.(png|gif|ico|wasm|tgz)$/.test(entry.name) ? [path] : [];
    });
}

describe('package-lock.json', () => {
  const text = readFileSync(join(root, 'package-lock.json'), 'utf8');
  const { packages } = JSON.parse(text) as { packages: Record<string, { version?: string; resolved?: string }> };

  test('names no registry: each machine uses its own', () => {
    expect(Object.keys(packages).filter((path) => packages[path]?.resolved !== undefined)).toEqual([]);
  });

  test('is complete for every system; if not, run `node setup/complete-lock.mjs`', () => {
    expect(missingOptionals(packages)).toEqual({});
    expect(Object.keys(packages).filter((path) => packages[path]?.version === undefined)).toEqual([]);
  });
});

describe('package.json', () => {
  const { dependencies, optionalDependencies, devDependencies } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  );

  test('pins every dependency to one version', () => {
    const all = Object.entries<string>({ ...dependencies, ...optionalDependencies, ...devDependencies });
    expect(all.filter(([, range]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(range))).toEqual([]);
  });
});

describe('no file', () => {
  const files = textFiles(root);

  test.each<[string, RegExp]>([
    ['names a registry host', /registry\.(npmjs|yarnpkg|npmmirror)\b/],
    ['holds a private key', /-----BEGIN [A-Z ]*PRIVATE KEY-----/],
  ])('%s', (_what, pattern) => {
    expect(files.filter((path) => pattern.test(readFileSync(path, 'latin1')))).toEqual([]);
  });

  test('was forgotten in the search', () => {
    expect(files).toEqual(expect.arrayContaining([join(root, 'package.json'), join(root, 'setup', 'lock.mjs')]));
  });
});
