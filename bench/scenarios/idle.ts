import { connectAll } from '../load/connect-all.ts';
import { CONNECT_CONCURRENCY, connectReader, type Outcome, type ScenarioContext, sleep } from './scenario.ts';

export interface IdleCell {
  readonly scenario: 'idle';
  readonly sessions: number;
  readonly perRoom: number;
  readonly settleMs: number;
  readonly measureMs: number;
}

/** How often a client says that it is there, by the server's default. */
const BEAT_MS = 20_000;

/**
 * Members of rooms who say nothing, as clients do: each gives a sign of life every 20 s, and the server keeps what it holds
 * in Redis from ending.
 */
export async function runIdle(cell: IdleCell, context: ScenarioContext): Promise<Outcome> {
  const { sessions, perRoom, settleMs, measureMs } = cell;
  const usedBefore = (await context.readRedis?.())?.usedBytes ?? 0;
  const readers = await connectAll(sessions, CONNECT_CONCURRENCY, (i) =>
    connectReader(context, `idle-${Math.floor(i / perRoom)}`),
  );
  await sleep(settleMs);
  const redis = await context.readRedis?.();
  const stop = context.startUsage();
  const startMs = performance.now();
  let next = 0;
  for (let elapsedMs = 0; elapsedMs < measureMs; elapsedMs = performance.now() - startMs) {
    for (const due = Math.floor((elapsedMs / BEAT_MS) * sessions); next < due; next++) {
      await readers[next % sessions]?.beat();
    }
    await sleep(1);
  }
  const usage = stop();
  const after = await context.readRedis?.();
  const sessionS = (sessions * usage.elapsedMs) / 1000;
  return {
    metrics: {
      idleCpuUsPerSessionS: usage.serverCpuUs / sessionS,
      ...(redis &&
        after && {
          redisScriptsPerSessionS: (after.scripts - redis.scripts) / sessionS,
          redisIdleCpuUsPerSessionS: usage.redisCpuUs / sessionS,
          redisBytesPerSession: (redis.usedBytes - usedBefore) / sessions,
        }),
    },
    usage,
  };
}
