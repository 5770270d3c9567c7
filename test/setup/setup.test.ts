import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { nodeOnPath, type Running, scratchDirectory, startNode, writeFiles } from './scratch.ts';

const checkout = join(import.meta.dirname, '..', '..');
const oldNode = new URL('./old-node.mjs', import.meta.url).href;

/** The compiler that the fake npm below installs; the program it makes says what it was given, and waits if told to. */
const PROGRAM = `
  if (process.argv.includes('--wait')) {
    setInterval(() => {}, 1000);
    process.on('SIGTERM', () => { console.log('drained'); process.exit(0); });
  }
  console.log(JSON.stringify([process.version, ...process.argv.slice(2)]));`;
const COMPILER = `
  const fs = require('node:fs');
  fs.appendFileSync('log', 'compiler\\n');
  console.log('chatter of the compiler');
  fs.mkdirSync('dist/bin', { recursive: true });
  fs.writeFileSync('dist/bin/bcast.js', ${JSON.stringify(PROGRAM)});`;
const NPM = `
  const fs = require('node:fs');
  fs.appendFileSync('log', 'npm\\n');
  console.log('chatter of npm');
  if (fs.existsSync('offline')) { console.error('npm error code ECONNREFUSED'); process.exit(1); }
  fs.rmSync('node_modules', { recursive: true, force: true });
  fs.mkdirSync('node_modules/typescript/bin', { recursive: true });
  fs.writeFileSync('node_modules/typescript/bin/tsc', ${JSON.stringify(COMPILER)});`;

/** A fresh clone of a project whose packages and compiler cost nothing. */
function clone(): string {
  const dir = scratchDirectory();
  for (const path of ['setup.mjs', 'setup', 'lib/cli']) {
    cpSync(join(checkout, path), join(dir, path), { recursive: true, filter: (source) => !source.endsWith('.ts') });
  }
  writeFiles(dir, {
    'package.json': '{ "name": "fake" }',
    'package-lock.json': '{ "packages": { "node_modules/typescript": {} } }',
    'tsconfig.json': '',
    'tsconfig.build.json': '',
    'bin/bcast.ts': '',
    'npm/npm-cli.js': NPM,
  });
  return dir;
}

function setup(
  dir: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  nodeArgs: readonly string[] = [],
): Running {
  const whole = { HOME: dir, PATH: '/nonexistent', npm_execpath: join(dir, 'npm/npm-cli.js'), ...env };
  return startNode([...nodeArgs, join(dir, 'setup.mjs'), ...args], whole, dir);
}

const underOldNode = (dir: string, args: readonly string[]) =>
  setup(dir, args, { BCAST_TEST_OLD_NODE: '20.11.0', PATH: nodeOnPath(dir) }, ['--import', oldNode]);

const log = (dir: string) => (existsSync(join(dir, 'log')) ? readFileSync(join(dir, 'log'), 'utf8') : '');

describe('setup', () => {
  test('installs, builds and runs, and leaves stdout to what it runs', async () => {
    const dir = clone();
    const end = await setup(dir, ['bcast', 'start', '--port', '9001']).ended;
    expect(end.code).toBe(0);
    expect(end.stdout).toBe(`${JSON.stringify([process.version, 'start', '--port', '9001'])}\n`);
    expect(end.stderr).toBe('setup: installing packages (once)\nsetup: building\n');
  });

  test('does nothing the second time', async () => {
    const dir = clone();
    await setup(dir, ['bcast']).ended;
    const end = await setup(dir, ['bcast', 'start']).ended;
    expect([end.code, end.stderr]).toEqual([0, '']);
    expect(log(dir)).toBe('npm\ncompiler\n');
  });

  test('builds again what has changed, and installs again what is gone', async () => {
    const dir = clone();
    await setup(dir, []).ended;
    writeFiles(dir, { 'bin/bcast.ts': '// changed' });
    await setup(dir, []).ended;
    expect(log(dir)).toBe('npm\ncompiler\ncompiler\n');
    rmSync(join(dir, 'node_modules'), { recursive: true });
    await setup(dir, []).ended;
    expect(log(dir)).toBe('npm\ncompiler\ncompiler\nnpm\n');
  });

  test('installs and builds once when it is started many times at once', async () => {
    const dir = clone();
    const ends = await Promise.all(Array.from({ length: 4 }, (_, n) => setup(dir, ['bcast', String(n)]).ended));
    expect(ends.map(({ code, stdout }) => [code, stdout])).toEqual(
      [0, 1, 2, 3].map((n) => [0, `${JSON.stringify([process.version, String(n)])}\n`]),
    );
    expect(log(dir)).toBe('npm\ncompiler\n');
  });

  test('does not build for a tool that reads sources', async () => {
    const dir = clone();
    await setup(dir, ['tsc']).ended;
    expect(log(dir)).toBe('npm\n');
  });

  test('says in one line that the registry cannot be reached, runs nothing and fails', async () => {
    const dir = clone();
    writeFiles(dir, { offline: '' });
    const end = await setup(dir, ['bcast']).ended;
    expect([end.code, end.stdout]).toEqual([1, '']);
    expect(end.stderr).toMatch(/^setup: installing packages \(once\)\nsetup: npm could not reach [^\n]*\n$/);
    rmSync(join(dir, 'offline'));
    expect((await setup(dir, ['bcast']).ended).code).toBe(0);
  });

  test('refuses a Node that is too old even for it', async () => {
    const dir = clone();
    const env = { BCAST_TEST_OLD_NODE: '18.20.0' };
    const { code, stderr } = await setup(dir, ['bcast'], env, ['--import', oldNode]).ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/^setup: this is Node v18\.20\.0; 20 or newer is needed [^\n]*\n$/);
  });

  test('says which tool it does not know', async () => {
    const { code, stderr } = await setup(clone(), ['nonsense']).ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/^setup: there is no tool called nonsense\.$/m);
  });

  test('under an old Node, runs everything under a newer one and passes signals on', async () => {
    const dir = clone();
    const running = underOldNode(dir, ['bcast', 'start', '--wait']);
    await running.stdoutMatching(/--wait/);
    running.child.kill('SIGTERM');
    const { code, stdout } = await running.ended;
    expect(stdout).toBe(`${JSON.stringify([process.version, 'start', '--wait'])}\ndrained\n`);
    expect(code).toBe(0);
  });
});
