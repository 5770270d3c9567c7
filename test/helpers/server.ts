import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Clock } from '../../lib/clock.ts';
import type { Reloaded } from '../../lib/config/live-config.ts';
import { loadOptions } from '../../lib/config/load.ts';
import { SERVER_OPTIONS, type ServerOptions } from '../../lib/config/options.ts';
import { createLogger, type LogLevel } from '../../lib/log.ts';
import { type Ready, run } from '../../lib/server/server.ts';
import { Collector } from './collector.ts';

export interface TestServer extends Omit<Ready, 'reload'> {
  readonly dataDir: string;
  /** Everything the server logged so far, as text. */
  readonly log: Collector;
  /** Changes what the next reload reads. */
  reconfigure(changes: Partial<ServerOptions>): void;
  /** Reads the configuration again, with these options changed. Throws CONFIG. */
  reload(changes: Partial<ServerOptions>): Reloaded;
  /** Shuts the server down in an orderly way. */
  stop(): Promise<void>;
}

export interface TestServerOptions extends Partial<ServerOptions> {
  readonly adminSocketOf?: (port: number) => string;
  readonly clock?: Clock;
}

/** Starts a real server on a free loopback port; it is stopped and its directory removed when the test ends. */
export async function startServer({ clock, adminSocketOf, ...options }: TestServerOptions = {}): Promise<TestServer> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'bcast-server-')));
  const none = { flags: {}, env: {}, dotenv: {}, file: {} };
  const { values } = loadOptions<ServerOptions>(SERVER_OPTIONS, none);
  // Every test comes from one address, many times.
  const roomy = { connectAttempts: 1_000_000, maxConnectionsPerAddress: 10_000, port: 0, store: 'memory' as const };
  let config = { ...values, ...roomy, logLevel: 'debug' as LogLevel, ...options, dataDir, serverName: 'bcast test' };
  const log = new Collector();
  const abort = new AbortController();
  const ready = Promise.withResolvers<Ready>();
  const running = run(config, {
    log: createLogger(config.logLevel, log.stream),
    signal: abort.signal,
    onReady: ready.resolve,
    reread: () => config,
    adminSocketOf,
    ...(clock === undefined ? {} : { clock }),
  });
  running.catch(ready.reject);
  const stop = async (): Promise<void> => {
    abort.abort();
    await running;
  };
  let isReady = false;
  onTestFinished(async () => {
    if (isReady) await stop();
    if (options.dataDir === undefined) await rm(dataDir, { recursive: true });
  });
  const told = await ready.promise;
  isReady = true;
  const reconfigure = (changes: Partial<ServerOptions>): void => {
    config = { ...config, ...changes, dataDir };
  };
  const reload = (changes: Partial<ServerOptions>): Reloaded => {
    reconfigure(changes);
    return told.reload();
  };
  return { ...told, dataDir, log, reconfigure, reload, stop };
}
