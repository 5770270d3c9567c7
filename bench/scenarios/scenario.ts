import type { Usage } from '../machine.ts';
import type { RedisCounters } from '../targets/redis-wire.ts';
import type { LoadClient, Reader } from '../targets/target.ts';

/** What can be measured, with its unit in the name. */
export type Metric =
  | 'cpuUsPerDelivery'
  | 'deliveriesPerS'
  | 'p50Ms'
  | 'p99Ms'
  /** The median of the p99s of slices of 0.1 s. */
  | 'sliceP99Ms'
  | 'cpuUsPerAck'
  | 'acksPerS'
  | 'cpuUsPerConnection'
  | 'connectionsPerS'
  | 'residentKiBPerConnection'
  /** Of the node that the publisher speaks to, and the mean of those that hear of it. */
  | 'firstCpuUsPerDelivery'
  | 'hearingCpuUsPerDelivery'
  | 'firstCpuUsPerMessage'
  | 'hearingCpuUsPerMessage'
  | 'redisCpuUsPerMessage'
  | 'redisScriptsPerMessage'
  | 'redisBytesInPerMessage'
  | 'redisBytesOutPerMessage'
  /** Of the deliveries, those that came once more before they were stored. */
  | 'unstoredShare'
  | 'resumeMs'
  | 'cpuUsPerResumedMessage'
  | 'redisCpuUsPerResumedMessage'
  | 'pageP50Ms'
  | 'pageP99Ms'
  | 'rareP50Ms'
  | 'rareP99Ms'
  | 'commonP50Ms'
  | 'commonP99Ms'
  | 'twoP50Ms'
  | 'twoP99Ms'
  | 'startMs'
  | 'residentMiB'
  | 'redisMiB'
  | 'idleCpuUsPerSessionS'
  | 'redisIdleCpuUsPerSessionS'
  | 'redisScriptsPerSessionS'
  | 'redisBytesPerSession'
  | 'redisBytesPerMessage';

export type Metrics = Partial<Record<Metric, number>>;

export interface Outcome {
  readonly metrics: Metrics;
  readonly usage: Usage;
}

export interface ScenarioContext {
  readonly client: LoadClient;
  /** How many servers there are. */
  readonly nodes: number;
  /** How long the first took to start, in milliseconds; where it is measured. */
  readonly startMs: number | undefined;
  /** Starts measuring the server and this process; the result stops it. */
  readonly startUsage: () => () => Usage;
  /** Of the first node. */
  readonly serverResidentBytes: () => number;
  /** Absent where there is no Redis. */
  readonly readRedis: (() => Promise<RedisCounters>) | undefined;
}

/** Connections being set up at a time, in every scenario. */
export const CONNECT_CONCURRENCY = 8;

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The figures that follow from deliveries alone. */
export function deliveryMetrics(deliveries: number, usage: Usage) {
  return {
    cpuUsPerDelivery: usage.serverCpuUs / deliveries,
    deliveriesPerS: (deliveries / usage.elapsedMs) * 1000,
  };
}

/** Reads what Redis has counted; the result reads again and says what so many messages cost. */
export async function startRedisMetrics({ client, readRedis }: ScenarioContext) {
  const before = await readRedis?.();
  const unstoredBefore = client.unstored?.() ?? 0;
  return async (messages: number, { redisCpuUs }: Usage, deliveries = messages): Promise<Metrics> => {
    const after = await readRedis?.();
    if (before === undefined || after === undefined) return {};
    return {
      redisCpuUsPerMessage: redisCpuUs / messages,
      redisScriptsPerMessage: (after.scripts - before.scripts) / messages,
      redisBytesInPerMessage: (after.bytesIn - before.bytesIn) / messages,
      redisBytesOutPerMessage: (after.bytesOut - before.bytesOut) / messages,
      unstoredShare: ((client.unstored?.() ?? 0) - unstoredBefore) / deliveries,
    };
  };
}

/** A member that can ask for what is stored. Throws for a target that stores nothing. */
export function connectReader({ client }: ScenarioContext, room: string): Promise<Reader> {
  if (client.connectReader === undefined) throw new Error('this target stores nothing that could be asked for');
  return client.connectReader(room);
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.floor(sorted.length * q)] ?? Number.NaN;
}
