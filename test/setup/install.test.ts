import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { describeFailure, findNpm } from '../../lib/cli/npm.mjs';
import { missingOptionals } from '../../setup/complete-lock.mjs';
import { install, installStamp, isInstalled, matchesLock } from '../../setup/install.mjs';
import { scratchDirectory, writeFiles } from './scratch.ts';

const here = { os: [process.platform], cpu: [process.arch] };
const elsewhere = { os: ['plan9'], cpu: [process.arch] };

function project(wanted: object, installed?: object): string {
  const root = scratchDirectory();
  writeFiles(root, { 'package-lock.json': JSON.stringify({ packages: { '': {}, ...wanted } }) });
  if (installed !== undefined) {
    writeFiles(root, { 'node_modules/.package-lock.json': JSON.stringify({ packages: installed }) });
  }
  return root;
}

/** An npm that notes how it was called and makes node_modules, or fails with what it is told to say. */
function fakeNpm(root: string, complaint = ''): NodeJS.ProcessEnv {
  writeFiles(root, {
    'npm/npm-cli.js': `
      const fs = require('node:fs');
      fs.appendFileSync('calls', JSON.stringify(process.argv.slice(2)) + '\\n');
      console.log('chatter');
      if (${JSON.stringify(complaint)}) { console.error(${JSON.stringify(complaint)}); process.exit(1); }
      fs.mkdirSync('node_modules', { recursive: true });`,
  });
  return { ...process.env, npm_execpath: join(root, 'npm', 'npm-cli.js') };
}

const calls = (root: string): string[][] =>
  existsSync(join(root, 'calls'))
    ? readFileSync(join(root, 'calls'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
    : [];

describe('matchesLock', () => {
  const a = { version: '1.0.0', integrity: 'sha512-a' };

  test.each<[string, object, object | undefined, boolean]>([
    ['nothing is installed', { 'node_modules/a': a }, undefined, false],
    ['all is installed', { 'node_modules/a': a }, { 'node_modules/a': a }, true],
    ['something is missing', { 'node_modules/a': a, 'node_modules/b': a }, { 'node_modules/a': a }, false],
    ['something is there too many', { 'node_modules/a': a }, { 'node_modules/a': a, 'node_modules/b': a }, false],
    ['one is another', { 'node_modules/a': a }, { 'node_modules/a': { ...a, integrity: 'sha512-b' } }, false],
    ['an optional one is for another system', { 'node_modules/a': { ...a, optional: true, ...elsewhere } }, {}, true],
    ['an optional one for this system is missing', { 'node_modules/a': { ...a, optional: true, ...here } }, {}, false],
    ['an optional one names no system', { 'node_modules/a': { ...a, optional: true } }, {}, true],
  ])('when %s', (_case, wanted, installed, expected) => {
    expect(matchesLock(project(wanted, installed))).toBe(expected);
  });
});

describe('install', () => {
  const how = (env: NodeJS.ProcessEnv, said: string[] = []) => ({
    nodePath: process.execPath,
    env,
    say: (line: string) => void said.push(line),
  });

  test('has npm install what the lock file says, with the compiler even in production and without any script', async () => {
    const root = project({ 'node_modules/a': {} });
    const env = { ...fakeNpm(root), NODE_ENV: 'production', npm_config_global: 'true' };
    const stamp = installStamp(root, '24.21.0');
    await install(root, stamp, how(env));
    expect(calls(root)).toEqual([expect.arrayContaining(['ci', '--include=dev', '--ignore-scripts', '--no-global'])]);
    expect(isInstalled(root, stamp)).toBe(true);
  });

  test('leaves alone what npm itself has installed already', async () => {
    const root = project({ 'node_modules/a': {} }, { 'node_modules/a': {} });
    const said: string[] = [];
    await install(root, 'stamp', how(fakeNpm(root), said));
    expect(calls(root)).toEqual([]);
    expect(said).toEqual([]);
    expect(isInstalled(root, 'stamp')).toBe(true);
  });

  test('is needed again for another lock file, another major of Node, or after node_modules is gone', () => {
    const root = project({}, {});
    const other = project({ 'node_modules/a': {} });
    const stamp = installStamp(root, '24.21.0');
    expect(installStamp(root, '24.7.0')).toBe(stamp);
    expect(installStamp(root, '26.0.0')).not.toBe(stamp);
    expect(installStamp(other, '24.21.0')).not.toBe(stamp);
    expect(isInstalled(root, stamp)).toBe(false);
  });

  test('says in one line that the registry cannot be reached', async () => {
    const root = project({ 'node_modules/a': {} });
    const env = fakeNpm(root, 'npm error code ENOTFOUND\nnpm error network request to https://r.example/a failed');
    await expect(install(root, 'stamp', how(env))).rejects.toThrow(
      /^npm could not reach its package registry \(ENOTFOUND\): [^\n]*$/,
    );
    expect(isInstalled(root, 'stamp')).toBe(false);
  });
});

describe('describeFailure', () => {
  test("passes on npm's own errors without the rest", () => {
    const output =
      'chatter\nnpm warn old\nnpm error code EUSAGE\nnpm error out of sync\nnpm error A complete log of this';
    expect(describeFailure(output)).toBe('npm failed:\nnpm error code EUSAGE\nnpm error out of sync');
  });

  test('has words for an npm that says nothing', () => {
    expect(describeFailure('')).toBe('npm failed:\nit said nothing.');
  });
});

describe('findNpm', () => {
  test('takes the npm that is running us, and the one next to npx', () => {
    const root = scratchDirectory();
    writeFiles(root, { 'npm-cli.js': '', 'npx-cli.js': '' });
    expect(findNpm({ npm_execpath: join(root, 'npm-cli.js') })).toBe(join(root, 'npm-cli.js'));
    expect(findNpm({ npm_execpath: join(root, 'npx-cli.js') })).toBe(join(root, 'npm-cli.js'));
  });

  test('does not take another package manager for npm', () => {
    const root = scratchDirectory();
    writeFiles(root, { 'yarn.js': '', 'path/node_modules/npm/bin/npm-cli.js': '' });
    const found = findNpm({ npm_execpath: join(root, 'yarn.js'), PATH: join(root, 'path') });
    expect(found).toMatch(/npm-cli\.js$/);
  });
});

describe('missingOptionals', () => {
  test('adds what a lock file leaves out, as npm would write it', () => {
    const packages = {
      'node_modules/a': { dev: true, optionalDependencies: { 'a-linux-arm-musleabihf': '1.0.0', 'a-here': '1.0.0' } },
      'node_modules/a-here': { version: '1.0.0' },
    };
    const missing = missingOptionals(packages);
    expect(missing).toEqual({
      'node_modules/a-linux-arm-musleabihf': {
        version: '1.0.0',
        cpu: ['arm'],
        dev: true,
        libc: ['musl'],
        optional: true,
        os: ['linux'],
      },
    });
  });
});
