import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makePrivateDirectory } from '../../lib/config/private-file.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'bcast-dir-'));
});
afterEach(() => rmSync(home, { recursive: true }));

test('makes what is missing above it too, for this account alone', () => {
  const path = join(home, 'a', 'b', 'c');
  makePrivateDirectory(path);
  for (const each of [path, join(home, 'a', 'b'), join(home, 'a')]) expect(statSync(each).mode & 0o777).toBe(0o700);
  expect(() => makePrivateDirectory(path)).not.toThrow();
});

test('fails, and returns, where nothing can be made', () => {
  writeFileSync(join(home, 'file'), '');
  expect(() => makePrivateDirectory(join(home, 'file'))).toThrow(/EEXIST/);
  expect(() => makePrivateDirectory(join(home, 'file', 'x'))).toThrow(/ENOTDIR/);
});

// Node's recursive mkdir spins for ever here.
test.runIf(process.platform === 'linux')('fails, and returns, in /proc', () => {
  expect(() => makePrivateDirectory('/proc/bcast/x')).toThrow(/ENOENT/);
});
