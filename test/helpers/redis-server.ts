import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { findRedis } from './redis-binary.ts';

export interface TestRedisOptions {
  /** More of redis.conf, as `--name value` would be. */
  readonly config?: Readonly<Record<string, string>>;
  /** Every write is in a file, for `start` to find again. */
  readonly isPersistent?: boolean;
}

/** A Redis server of our own on a free loopback port. */
export interface TestRedis {
  readonly port: number;
  readonly url: string;
  readonly pid: number;
  /** For what a test wants to look at or to break; not for what is under test. */
  readonly admin: Redis;
  /** Ends it in order. */
  stop(): Promise<void>;
  /** Ends it as a power cut would. */
  kill(): Promise<void>;
  /** Starts it again on the same port after `stop` or `kill`; without its data on request. */
  start(options?: { readonly withData: boolean }): Promise<void>;
  /** Stops it where it stands: connections stay open, nothing is answered. */
  pause(): void;
  resume(): void;
}

/** Starts one that its caller stops. */
export async function startRedis({ config = {}, isPersistent = false }: TestRedisOptions = {}): Promise<TestRedis> {
  const clusterPort = config['cluster-enabled'] === 'yes' ? { 'cluster-port': String(await freePort()) } : {};
  const dir = await mkdtemp(join(tmpdir(), 'bcast-redis-'));
  const persistence = isPersistent ? { appendonly: 'yes', appendfsync: 'no' } : { appendonly: 'no' };
  // A replica is served at once instead of after others that may want the same.
  const settings = { save: '', 'repl-diskless-sync-delay': '0', dir, ...persistence, ...clusterPort, ...config };
  let { child, port } = await startOnFreePort(settings);
  const admin = new Redis({ port, host: '127.0.0.1', lazyConnect: true, retryStrategy: () => 20 });
  // It connects again by itself; until then its commands wait.
  admin.on('error', () => undefined);
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGCONT');
    child.kill(signal);
    await exited;
  };
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    get pid() {
      return child.pid as number;
    },
    admin,
    async stop() {
      admin.disconnect();
      await end('SIGTERM');
      await rm(dir, { recursive: true, force: true });
    },
    kill: () => end('SIGKILL'),
    async start({ withData } = { withData: isPersistent }) {
      await end('SIGTERM');
      if (!withData) await rm(join(dir, 'appendonlydir'), { recursive: true, force: true });
      child = await spawnRedis({ ...settings, port: String(port) });
    },
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
  };
}

type Settings = Readonly<Record<string, string>>;

/** Somebody else may take a port between the moment it was found free and the moment Redis takes it. */
async function startOnFreePort(settings: Settings): Promise<{ child: ChildProcess; port: number }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    try {
      return { child: await spawnRedis({ ...settings, port: String(port) }), port };
    } catch (error) {
      if (attempt === 5 || !/in use/.test((error as Error).message)) throw error;
    }
  }
}

/** Resolves when it takes connections. */
async function spawnRedis(settings: Settings): Promise<ChildProcess> {
  const args = Object.entries({ bind: '127.0.0.1', ...settings }).flatMap(([name, value]) => [`--${name}`, value]);
  return spawnServer(args, 'Ready to accept connections');
}

/** Starts the server program; resolves when it has said `ready`. It does not outlive this process. */
export async function spawnServer(args: readonly string[], ready: string): Promise<ChildProcess> {
  const { command, argv0, env } = await findRedis();
  const child = spawn(command, args, {
    argv0,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const killWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', killWithUs);
  child.once('exit', () => process.off('exit', killWithUs));
  let said = '';
  const started = Promise.withResolvers<void>();
  const listen = (chunk: Buffer): void => {
    said += chunk;
    if (said.includes(ready)) started.resolve();
  };
  child.stdout.on('data', listen);
  child.stderr.on('data', listen);
  child.once('error', started.reject);
  child.once('exit', (code) => started.reject(new Error(`Redis ended with ${code}:\n${said}`)));
  await started.promise;
  return child;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
