import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findNpm } from '../../lib/cli/npm.mjs';
import { nodeOnPath } from '../setup/scratch.ts';

const root = join(import.meta.dirname, '..', '..');
const oldNode = new URL('../setup/old-node.mjs', import.meta.url).href;
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** npm on this Node, away from the checkout; stdout is returned. */
function npm(cwd: string, ...args: readonly string[]): string {
  const script = findNpm(process.env);
  if (script === undefined) throw new Error('npm was not found');
  const PATH = [dirname(process.execPath), process.env['PATH']].join(delimiter);
  const all = [script, ...args, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  return execFileSync(process.execPath, all, { cwd, encoding: 'utf8', env: { ...process.env, PATH } });
}

describe('the package', () => {
  const dir = mkdtempSync(join(tmpdir(), 'bcast-pack-'));
  const command = join(dir, 'prefix', 'bin', 'bcast');
  let files: string[] = [];

  beforeAll(() => {
    const packed = JSON.parse(npm(root, 'pack', '--json', '--pack-destination', dir));
    const [tarball] = (Array.isArray(packed) ? packed : Object.values(packed)) as [
      { filename: string; files: { path: string }[] },
    ];
    files = tarball.files.map(({ path }) => path);
    npm(dir, 'install', '--global', '--prefix', join(dir, 'prefix'), '--prefer-offline', join(dir, tarball.filename));
  }, 120_000);

  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  test('holds what runs and what is to be read, and nothing else', () => {
    const expected =
      /^(dist\/(bin|lib)\/[\w./-]+\.(js|mjs|d\.ts|d\.mts)|docs\/[\w./-]+|README\.md|CHANGELOG\.md|LICENSE|\.env\.example|package\.json)$/;
    expect(files.filter((path) => !expected.test(path))).toEqual([]);
    expect(files).toEqual(
      expect.arrayContaining(['LICENSE', 'package.json', 'dist/bin/bcast.js', 'dist/lib/cli/runtime.mjs']),
    );
  });

  test('runs from a global installation elsewhere', () => {
    const env = { ...process.env, PATH: dirname(process.execPath) };
    const { stdout, stderr, status } = spawnSync(command, ['--version'], { cwd: dir, encoding: 'utf8', env });
    expect([stdout, stderr, status]).toEqual([`${version}\n`, '', 0]);
  });

  test('runs there when the first node on PATH is an old one', () => {
    const env = {
      ...process.env,
      PATH: [nodeOnPath(dir), process.env['PATH']].join(delimiter),
      NODE_OPTIONS: `--import=${oldNode}`,
      BCAST_TEST_OLD_NODE: '20.11.0',
    };
    const { stdout, stderr, status } = spawnSync(command, ['--version'], { cwd: dir, encoding: 'utf8', env });
    expect([stdout, stderr, status]).toEqual([`${version}\n`, '', 0]);
  });
});
