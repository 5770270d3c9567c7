import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Clock } from '../../lib/clock.ts';
import { loadOptions } from '../../lib/config/load.ts';
import { SERVER_OPTIONS, type ServerOptions } from '../../lib/config/options.ts';
import { createLogger } from '../../lib/log.ts';
import { type Ready, run } from '../../lib/server/server.ts';
import { Collector } from './collector.ts';

export interface TestServer extends Ready {
  readonly dataDir: string;
  /** Everything the server logged so far, as text. */
  readonly log: Collector;
  /** Shuts the server down in an orderly way. */
  stop(): Promise<void>;
}

export interface TestServerOptions extends Partial<ServerOptions> {
  readonly clock?: Clock;
}

/** Starts a real server on a free loopback port; it is stopped and its directory removed when the test ends. */
export async function startServer({ clock, ...options }: TestServerOptions = {}): Promise<TestServer> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'bcast-server-')));
  const none = { flags: {}, env: {}, dotenv: {}, file: {} };
  const { values } = loadOptions<ServerOptions>(SERVER_OPTIONS, none);
  // Every test comes from one address, many times.
  const roomy = { connectAttempts: 1_000_000, maxConnectionsPerAddress: 10_000, port: 0, store: 'memory' as const };
  const config = { ...values, ...roomy, ...options, dataDir, serverName: 'bcast test' };
  const log = new Collector();
  const abort = new AbortController();
  const ready = Promise.withResolvers<Ready>();
  const running = run(config, {
    log: createLogger('debug', log.stream),
    signal: abort.signal,
    onReady: ready.resolve,
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
  return { ...told, dataDir, log, stop };
}
