import type { Metric } from './scenarios/scenario.ts';

export interface MetricRow {
  readonly label: string;
  readonly digits: number;
  /** The unit shown is this many of the metric's own. */
  readonly per: number;
}

/** How the report calls each figure, in the order of its rows. */
export const METRICS: Record<Metric, MetricRow> = {
  cpuUsPerDelivery: row('server CPU us/delivery', 2),
  deliveriesPerS: row('thousand deliveries/s', 0, 1_000),
  p50Ms: row('latency p50 ms', 2),
  p99Ms: row('latency p99 ms', 2),
  sliceP99Ms: row('p99 ms, median of 0.1 s slices', 2),
  firstCpuUsPerDelivery: row('CPU us/delivery, first node', 2),
  hearingCpuUsPerDelivery: row('CPU us/delivery, other nodes', 2),
  firstCpuUsPerMessage: row('CPU us/message, first node', 1),
  hearingCpuUsPerMessage: row('CPU us/message, each other node', 1),
  cpuUsPerAck: row('server CPU us/acknowledgement', 1),
  acksPerS: row('acknowledgements/s', 0),
  redisCpuUsPerMessage: row('Redis CPU us/message', 1),
  redisScriptsPerMessage: row('Redis scripts/message', 3),
  redisBytesInPerMessage: row('bytes to Redis/message', 0),
  redisBytesOutPerMessage: row('bytes from Redis/message', 0),
  unstoredShare: row('% shown before stored as well', 0, 0.01),
  cpuUsPerConnection: row('server CPU us/connection', 0),
  connectionsPerS: row('connections/s', 0),
  residentKiBPerConnection: row('resident KiB/connection', 1),
  resumeMs: row('ms until all have come', 0),
  cpuUsPerResumedMessage: row('server CPU us/message', 1),
  redisCpuUsPerResumedMessage: row('Redis CPU us/message', 1),
  pageP50Ms: row('page of 200, p50 ms', 2),
  pageP99Ms: row('page of 200, p99 ms', 2),
  commonP50Ms: row('search, common word, p50 ms', 2),
  commonP99Ms: row('search, common word, p99 ms', 2),
  rareP50Ms: row('search, rare word, p50 ms', 2),
  rareP99Ms: row('search, rare word, p99 ms', 2),
  twoP50Ms: row('search, two words, p50 ms', 2),
  twoP99Ms: row('search, two words, p99 ms', 2),
  startMs: row('ms until it takes connections', 0),
  residentMiB: row('resident MiB', 1),
  redisMiB: row('used memory of Redis, MiB', 1),
  idleCpuUsPerSessionS: row('server CPU us/session and second', 2),
  redisIdleCpuUsPerSessionS: row('Redis CPU us/session and second', 2),
  redisScriptsPerSessionS: row('Redis scripts/session and second', 3),
  redisBytesPerMessage: row('bytes in Redis/message', 0),
  redisBytesPerSession: row('bytes in Redis/session', 0),
};

function row(label: string, digits: number, per = 1): MetricRow {
  return { label, digits, per };
}
