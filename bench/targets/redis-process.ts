import { cpSync, mkdirSync, mkdtempSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { findRedis } from '../../test/helpers/redis-binary.ts';
import { freePort } from '../../test/helpers/redis-server.ts';
import { type PinnedChild, spawnPinned, waitForOutput } from '../children.ts';
import type { Placement } from '../machine.ts';
import { askRedis } from './redis-wire.ts';

/** Loading a file of a million messages takes a few seconds. */
const START_TIMEOUT_MS = 60_000;
const POLL_MS = 100;

/** As an operator would have it: what a second has brought may be lost with the machine. */
const SETTINGS = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'yes', '--appendfsync', 'everysec'];

export interface BenchRedis {
  readonly port: number;
  readonly url: string;
  readonly child: PinnedChild;
  /** Where its files are. */
  readonly directory: string;
}

/** Starts a Redis in a directory of its own, with a copy of the files in `stocked` if there are any. */
export async function startBenchRedis(placement: Placement, parent: string, stocked?: string): Promise<BenchRedis> {
  const { command, env } = await findRedis();
  const home = mkdtempSync(join(parent, 'redis-'));
  const directory = join(home, 'data');
  if (stocked === undefined) mkdirSync(directory);
  else cpSync(stocked, directory, { recursive: true });
  // One program is several: what it does goes by the name it is called by.
  const program = join(home, 'redis-server');
  symlinkSync(command, program);
  const port = await freePort();
  const child = spawnPinned(placement, [program, ...SETTINGS, '--dir', directory, '--port', String(port)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  await waitForOutput(child, 'stdout', /Ready to accept connections/, START_TIMEOUT_MS);
  // It looks as if it had been in use for long: the first room of a new one has to wait for five seconds.
  await askRedis(port, 'SET', 'bcast:epoch', '1', 'NX');
  return { port, url: `redis://127.0.0.1:${port}`, child, directory };
}

/** Writes its files anew as they are smallest and load quickest. */
export async function compactRedis(port: number): Promise<void> {
  // It may be at it by itself, and then refuses.
  await untilWritten(port);
  await askRedis(port, 'BGREWRITEAOF');
  await untilWritten(port);
}

async function untilWritten(port: number): Promise<void> {
  const isBusy = async () => /aof_rewrite_(in_progress|scheduled):1/.test(await askRedis(port, 'INFO', 'persistence'));
  while (await isBusy()) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
}
