import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { enterClient } from '../helpers/live-client.ts';
import { scratchDir } from '../helpers/scratch-dir.ts';
import { startServer } from '../helpers/server.ts';

const root = join(import.meta.dirname, '..', '..');

function example(): string {
  const text = readFileSync(join(root, 'docs', 'BOTS.md'), 'utf8');
  return /^```ts\n(.*?)^```$/ms.exec(text)?.[1] ?? '';
}

/**
 * A project that has the package installed, built from these sources: `bcast` is what package.json exports, but with its
 * sources in the place of the build, which a test run does not make. Node strips types outside node_modules only, and
 * follows the link to where they really are.
 */
function projectWith(source: string): string {
  const project = scratchDir();
  const installed = join(project, 'node_modules', 'bcast');
  mkdirSync(installed, { recursive: true });
  symlinkSync(join(root, 'lib'), join(installed, 'lib'));
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    readonly exports: { readonly '.': { readonly default: string } };
  };
  const main = exports['.'].default.replace('./dist/', './').replace(/\.js$/, '.ts');
  writeFileSync(join(installed, 'package.json'), JSON.stringify({ name: 'bcast', type: 'module', exports: main }));
  writeFileSync(join(project, 'bot.mts'), source);
  return project;
}

test('the bot of docs/BOTS.md, which has no more than fifteen lines, echoes and quits', async () => {
  const bot = example();
  expect(bot.split('\n').filter((line) => line.trim() !== '').length).toBeLessThanOrEqual(15);
  const server = await startServer();
  const project = projectWith(bot);
  const child = spawn(
    process.execPath,
    [join(project, 'bot.mts'), `bcast://127.0.0.1:${server.port}?fp=${server.fingerprint}`],
    {
      cwd: project,
      env: { ...process.env, XDG_DATA_HOME: join(project, 'data') },
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  onTestFinished(() => void child.kill());
  const exited = once(child, 'exit');
  const alice = await enterClient(server, 'alice');
  await alice.client.join('lobby', { backlog: { last: 10 } });
  await alice.until(() => alice.bodies().includes('Say "!echo something".'));
  await alice.client.say('lobby', '!echo hello there');
  await alice.until(() => alice.bodies().includes('alice said: hello there'));
  await alice.client.say('lobby', '!quit');
  expect(await exited).toEqual([0, null]);
});
