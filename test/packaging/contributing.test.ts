import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const text = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8');
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** Made in a clone, not committed. */
const MADE = new Set(['.cache/', 'coverage/']);

describe('CONTRIBUTING.md', () => {
  const paths = [...text.matchAll(/`((?:[\w.-]+\/)+[\w.-]*|[\w.-]+\.(?:mjs|json|ts|md))`/g)].map(
    ([, path = '']) => path,
  );
  const commands = [...text.matchAll(/\bnpm (?:run )?(test|start|check|fix|build|coverage|bench|plot|soak)\b/g)].map(
    ([, name = '']) => name,
  );

  test('names only files that are there', () => {
    expect(paths.length).toBeGreaterThan(20);
    expect(paths.filter((path) => !MADE.has(path) && !existsSync(join(root, path)))).toEqual([]);
  });

  test('names only scripts that are there, and all of them', () => {
    expect([...new Set(commands)].sort()).toEqual(
      Object.keys(scripts)
        .filter((name) => name !== 'prepare')
        .sort(),
    );
  });
});
