import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildStamp, isBuilt } from '../../setup/build.mjs';
import { spawnPinned, waitForOutput } from '../children.ts';
import { stockedSqlite } from '../stock/library.ts';
import type { RunningServer, StartOptions } from './target.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const BUILT_ENTRY = join(ROOT, 'dist', 'bin', 'bcast.js');

/** Another build of bcast to measure, for comparing commits; or bin/bcast.ts, the sources as they stand. */
const entry = process.env['BCAST_BENCH_ENTRY'] ?? BUILT_ENTRY;

/**
 * The whole load comes from one address and each publisher stands for many people, so what protects a server from one
 * hostile peer is lifted. Nothing else differs from a server's defaults, its log included.
 */
const LIFTED_LIMITS = {
  BCAST_MAX_CONNECTIONS_PER_ADDRESS: '1000000',
  BCAST_CONNECT_ATTEMPTS: '1000000000',
  BCAST_MESSAGES_PER_SECOND: '1000000000',
  BCAST_MESSAGE_BURST: '1000000000',
  BCAST_BYTES_PER_SECOND: '1000000000000',
  BCAST_BYTE_BURST: '1000000000000',
};

/** The version, once it is certain that what will be measured is what the sources say. */
export function prepareBcast(): string {
  if (!existsSync(entry))
    throw new Error(`${entry} is missing: run \`npm run build\`, or the bench by \`npm run bench\``);
  if (entry === BUILT_ENTRY && !isBuilt(ROOT, buildStamp(ROOT))) {
    throw new Error('dist is not what the sources say: run `npm run build`, or the bench by `npm run bench`');
  }
  const version = execFileSync(process.execPath, [entry, '--version'], { encoding: 'utf8' }).trim();
  return `bcast ${version} on Node ${process.version}`;
}

const URL_LINE = /^bcast:\/\/([\d.]+):(\d+)\?fp=(\S+)$/m;
const LOG_TAIL_CHARS = 1_000;

/** Starts `bcast start` with directories of its own, its log in a file as an operator would have it. */
export async function startBcast(
  { placement, directory: parent }: StartOptions,
  flags: readonly string[] = [],
  dataDir?: string,
): Promise<RunningServer> {
  const directory = mkdtempSync(join(parent, 'bcast-'));
  const logFile = join(directory, 'bcast.log');
  const inherited = Object.entries(process.env).filter(([name]) => !/^(BCAST|XDG)_/.test(name));
  const env = { ...Object.fromEntries(inherited), HOME: directory, ...LIFTED_LIMITS, NODE_ENV: 'production' };
  const command = [process.execPath, entry, 'start', '--port', '0', '--data-dir', dataDir ?? directory, ...flags];
  const startedMs = performance.now();
  const child = spawnPinned(placement, command, {
    stdio: ['ignore', 'pipe', openSync(logFile, 'w')],
    cwd: directory,
    env,
  });
  const logTail = () => readFileSync(logFile, 'utf8').slice(-LOG_TAIL_CHARS);
  try {
    const [, host = '', port, fingerprint = ''] = await waitForOutput(child, 'stdout', URL_LINE);
    const startMs = performance.now() - startedMs;
    const endpoint = { host, port: Number(port), fingerprint };
    return { nodes: [{ pid: child.pid, endpoint }], startMs, logTail, stop: () => child.end() };
  } catch (cause) {
    throw new Error(`bcast did not start: ${logTail()}`, { cause });
  }
}

/** The same on a copy of a file that holds the stock, if there is to be one. */
export async function startStockedBcast(options: StartOptions, flags: readonly string[]): Promise<RunningServer> {
  const { directory: parent, stock } = options;
  if (stock === undefined) return startBcast(options, flags);
  const dataDir = mkdtempSync(join(parent, 'stocked-'));
  cpSync(await stockedSqlite(parent, stock), dataDir, { recursive: true });
  return startBcast(options, [...flags, '--history-messages', String(stock.keepMessages)], dataDir);
}
