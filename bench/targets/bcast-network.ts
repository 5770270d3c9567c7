import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { stockedRedis } from '../stock/library.ts';
import { startBcast } from './bcast-server.ts';
import { startBenchRedis } from './redis-process.ts';
import type { RunningServer, StartOptions } from './target.ts';

/** So many servers on one Redis, all on the server core: the load has the other. */
export async function startNetwork(options: StartOptions, count: number): Promise<RunningServer> {
  const { directory: parent, placement, stock } = options;
  const stocked = stock && (await stockedRedis(parent, placement, stock));
  const redis = await startBenchRedis(placement, parent, stocked);
  // All of a network have the same key, and with Redis nothing else is in this directory.
  const dataDir = mkdtempSync(join(parent, 'network-'));
  const kept = stock === undefined ? [] : ['--history-messages', String(stock.keepMessages)];
  const servers: RunningServer[] = [];
  const stop = async () => {
    await Promise.all(servers.map((server) => server.stop()));
    await redis.child.end();
  };
  try {
    for (let i = 0; i < count; i++)
      servers.push(await startBcast(options, ['--redis-url', redis.url, ...kept], dataDir));
  } catch (error) {
    await stop();
    throw error;
  }
  const { startMs } = servers[0] as RunningServer;
  return {
    nodes: servers.flatMap(({ nodes }) => nodes),
    redis: { pid: redis.child.pid, port: redis.port },
    ...(startMs === undefined ? {} : { startMs }),
    logTail: () => servers.map((server) => server.logTail()).join('\n'),
    stop,
  };
}
