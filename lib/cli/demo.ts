import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Environment, readEnvironment, readSources } from '../config/environment.ts';
import { loadOptions } from '../config/load.ts';
import { SERVER_OPTIONS, type ServerOptions } from '../config/options.ts';
import { BcastError } from '../errors.ts';
import { listenForHangup } from './hangup.ts';
import { findRedisProgram } from './redis-program.ts';
import { listenForStop } from './stop-signals.ts';
import type { Verb } from './verb.ts';

const DEFAULT_NODES = 3;
const MAX_NODES = 64;

/** `bcast demo`: several servers as one network on this machine, until it is asked to stop. */
export const demo: Verb = {
  args: [],
  flags: [
    { name: 'nodes', placeholder: 'N', help: `Servers to start. [${DEFAULT_NODES}]` },
    { name: 'port', short: 'p', placeholder: 'N', help: `Port to listen on. [${SERVER_OPTIONS.port.fallback}]` },
  ],
  examples: [
    ['bcast demo', 'three servers, one network, one port'],
    ['bcast demo --nodes 8 --port 7000', 'as many as the machine has cores, for instance'],
  ],
  notes: `Uses the Redis that BCAST_REDIS_URL names, or else starts one that forgets everything at the end. Prints the URLs to
connect with: on Linux one, as all servers share a port, elsewhere one for each server. Ctrl-C ends them all.`,
  async run({ flags }) {
    const nodes = parseNodes(flags['nodes']);
    const environment = readEnvironment();
    const { port } = flags;
    const sources = readSources(port === undefined ? {} : { port }, environment);
    const { values } = loadOptions<ServerOptions>(SERVER_OPTIONS, sources);
    const stop = listenForStop();
    const children = new Children();
    // Redis outlives its terminal by itself, and nobody would find it.
    const forgetHangup = listenForHangup({ onReload: () => children.pass('SIGHUP'), onTerminalGone: stop.stop });
    try {
      const begin = async (): Promise<void> => {
        const env = await redisFor(values, environment, children);
        await startNodes({ nodes, port: values.port, env }, children);
      };
      const stopped = aborted(stop.signal);
      await Promise.race([begin(), stopped]);
      await Promise.race([stopped, children.oneEnded]);
      if (!stop.signal.aborted) throw new BcastError('INTERNAL', { text: 'One of the servers has ended.' });
      return 0;
    } finally {
      await children.end();
      forgetHangup();
      stop.release();
    }
  },
};

/** What was started and is to be ended, the last first. */
class Children {
  readonly #all: ChildProcess[] = [];
  readonly #cleanups: (() => void)[] = [];
  readonly #ended = Promise.withResolvers<void>();
  #isEnding = false;

  get oneEnded(): Promise<void> {
    return this.#ended.promise;
  }

  /** Resolves with the first line of its output that matches. */
  async start(command: string, args: readonly string[], options: StartOptions): Promise<string> {
    const { argv0 = command, env, pattern } = options;
    if (this.#isEnding) throw new BcastError('CLOSED');
    const child = spawn(command, args, { argv0, env: { ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
    this.#all.push(child);
    const found = Promise.withResolvers<string>();
    let said = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      said = (said + chunk).slice(-65_536);
      const line = said.split('\n').find((each) => pattern.test(each));
      if (line !== undefined) found.resolve(line);
    });
    child.once('error', found.reject);
    child.once('exit', () => {
      found.reject(new BcastError('INTERNAL', { text: `${argv0} has ended: ${said.trim() || 'see above'}` }));
      this.#ended.resolve();
    });
    return await found.promise;
  }

  /** Tells all of them. */
  pass(signal: NodeJS.Signals): void {
    for (const child of this.#all) child.kill(signal);
  }

  afterwards(cleanup: () => void): void {
    this.#cleanups.push(cleanup);
  }

  async end(): Promise<void> {
    this.#isEnding = true;
    for (const child of this.#all.toReversed()) {
      if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) continue;
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
    }
    for (const cleanup of this.#cleanups) cleanup();
  }
}

interface StartOptions {
  readonly argv0?: string;
  readonly env: Environment['env'];
  readonly pattern: RegExp;
}

/** The environment in which servers find their Redis: the one that is configured, or one of their own. */
async function redisFor(
  { redisUrl }: ServerOptions,
  { env }: Environment,
  children: Children,
): Promise<Environment['env']> {
  if (redisUrl !== undefined) return env;
  const program = findRedisProgram(env['PATH'] ?? '');
  if (program === null) {
    const text = `There is no Redis 7 or newer here. Install one ("apt-get install redis-server", "brew install redis"), or
name one that runs in BCAST_REDIS_URL.`;
    throw new BcastError('CONFIG', { text });
  }
  const dir = mkdtempSync(join(tmpdir(), 'bcast-demo-'));
  children.afterwards(() => rmSync(dir, { recursive: true, force: true }));
  const port = await freePort();
  const settings = { bind: '127.0.0.1', port: String(port), dir, save: '', appendonly: 'no' };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  await children.start(program.command, args, { argv0: program.argv0, env, pattern: /Ready to accept connections/ });
  return { ...env, BCAST_REDIS_URL: `redis://127.0.0.1:${port}` };
}

interface NodesToStart {
  readonly nodes: number;
  readonly port: number;
  readonly env: Environment['env'];
}

async function startNodes({ nodes, port, env }: NodesToStart, children: Children): Promise<void> {
  const isShared = process.platform === 'linux';
  const command = [...process.execArgv, process.argv[1] ?? '', 'start', ...(isShared ? ['--reuse-port'] : [])];
  const quiet = { BCAST_LOG_LEVEL: 'warn', ...env };
  let at = port;
  for (let i = 0; i < nodes; i += 1) {
    const args = [...command, '--port', String(at)];
    const url = await children.start(process.execPath, args, { env: quiet, pattern: /^bcast:/ });
    if (i === 0 || !isShared) process.stdout.write(`${url}\n`);
    const taken = Number(/:(\d+)\?/.exec(url)?.[1]);
    at = isShared ? taken : port === 0 ? 0 : taken + 1;
  }
  process.stderr.write(`${nodes} servers are one network; Ctrl-C ends them.\n`);
}

/** Throws USAGE. */
function parseNodes(text: string | undefined): number {
  const nodes = text === undefined ? DEFAULT_NODES : Number(text);
  if (Number.isInteger(nodes) && nodes >= 1 && nodes <= MAX_NODES) return nodes;
  throw new BcastError('USAGE', { text: `--nodes must be 1 to ${MAX_NODES}, not ${text}.` });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
