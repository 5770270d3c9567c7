import { type Figure, figureOf, type Results } from '../results.ts';
import type { Metric } from '../scenarios/scenario.ts';

/** A measured figure that docs/SCALING.md computes with. */
export interface Known {
  readonly what: string;
  readonly unit: string;
  readonly cell: string;
  readonly target: string;
  readonly metric: Metric;
}

/** By the names that the arithmetic uses, in the order of the table. */
export const FIGURES = {
  connecting: {
    what: 'a connection: handshake, name, room',
    unit: 'µs of a node',
    cell: 'connections',
    target: 'bcast-redis',
    metric: 'cpuUsPerConnection',
  },
  memory: {
    what: 'a session that says nothing',
    unit: 'KiB of a node',
    cell: 'memory',
    target: 'bcast-redis',
    metric: 'residentKiBPerConnection',
  },
  idle: {
    what: 'a session that says nothing',
    unit: 'µs of a node each second',
    cell: 'idle',
    target: 'bcast-redis',
    metric: 'idleCpuUsPerSessionS',
  },
  redisIdle: {
    what: 'the same in Redis',
    unit: 'µs of Redis each second',
    cell: 'idle',
    target: 'bcast-redis',
    metric: 'redisIdleCpuUsPerSessionS',
  },
  leases: {
    what: 'scripts that keep it',
    unit: 'a second',
    cell: 'idle',
    target: 'bcast-redis',
    metric: 'redisScriptsPerSessionS',
  },
  redisSession: {
    what: 'a session, with a tenth of its room',
    unit: 'bytes in Redis',
    cell: 'idle',
    target: 'bcast-redis',
    metric: 'redisBytesPerSession',
  },
  deliveryAlone: {
    what: 'a delivery, where each message comes alone',
    unit: 'µs of a node',
    cell: 'rooms-1000',
    target: 'bcast-redis',
    metric: 'cpuUsPerDelivery',
  },
  deliveryPacked: {
    what: 'a delivery, where many come at once',
    unit: 'µs of a node',
    cell: 'nodes-100',
    target: 'bcast-redis',
    metric: 'cpuUsPerDelivery',
  },
  hearingAlone: {
    what: 'a message heard for one member, where each comes alone',
    unit: 'µs of a node',
    cell: 'hearing-rooms',
    target: 'bcast-2-nodes',
    metric: 'hearingCpuUsPerMessage',
  },
  hearingPacked: {
    what: 'a message heard for one member, where many come at once',
    unit: 'µs of a node',
    cell: 'hearing-100',
    target: 'bcast-2-nodes',
    metric: 'hearingCpuUsPerMessage',
  },
  redisAlone: {
    what: 'a message, where each comes alone and one node hears',
    unit: 'µs of Redis',
    cell: 'rooms-100',
    target: 'bcast-redis',
    metric: 'redisCpuUsPerMessage',
  },
  redisAloneTwo: {
    what: 'the same where two nodes hear',
    unit: 'µs of Redis',
    cell: 'hearing-rooms',
    target: 'bcast-2-nodes',
    metric: 'redisCpuUsPerMessage',
  },
  redisPacked: {
    what: 'a message, where many come at once and one node hears',
    unit: 'µs of Redis',
    cell: 'nodes-100',
    target: 'bcast-redis',
    metric: 'redisCpuUsPerMessage',
  },
  scripts: {
    what: 'scripts a message, where each comes alone',
    unit: '',
    cell: 'rooms-100',
    target: 'bcast-redis',
    metric: 'redisScriptsPerMessage',
  },
  bytesIn: {
    what: 'a message on its way to Redis, alone',
    unit: 'bytes',
    cell: 'rooms-100',
    target: 'bcast-redis',
    metric: 'redisBytesInPerMessage',
  },
  bytesOutTwo: {
    what: 'and out of it to two nodes',
    unit: 'bytes',
    cell: 'hearing-rooms',
    target: 'bcast-2-nodes',
    metric: 'redisBytesOutPerMessage',
  },
  bytesOut: {
    what: 'and out of it to one',
    unit: 'bytes',
    cell: 'rooms-100',
    target: 'bcast-redis',
    metric: 'redisBytesOutPerMessage',
  },
  stored: {
    what: 'a message that is stored, read from its file',
    unit: 'bytes in Redis',
    cell: 'lookup',
    target: 'bcast-redis',
    metric: 'redisBytesPerMessage',
  },
  resumeSqlite: {
    what: '10,000 missed messages',
    unit: 'ms until all have come',
    cell: 'resume',
    target: 'bcast-sqlite',
    metric: 'resumeMs',
  },
  resumeRedis: {
    what: 'the same with Redis',
    unit: 'ms until all have come',
    cell: 'resume',
    target: 'bcast-redis',
    metric: 'resumeMs',
  },
  page: {
    what: 'a page of 200 among a million, p99',
    unit: 'ms',
    cell: 'lookup',
    target: 'bcast-sqlite',
    metric: 'pageP99Ms',
  },
  searchRare: {
    what: 'a rare word in a million messages, p99',
    unit: 'ms',
    cell: 'lookup',
    target: 'bcast-sqlite',
    metric: 'rareP99Ms',
  },
  searchTwo: {
    what: 'two words in a million messages, p99',
    unit: 'ms',
    cell: 'lookup',
    target: 'bcast-sqlite',
    metric: 'twoP99Ms',
  },
  startEmpty: {
    what: 'a start on an empty file',
    unit: 'ms',
    cell: 'stored-nothing',
    target: 'bcast-sqlite',
    metric: 'startMs',
  },
  startStored: {
    what: 'a start on 100,000 rooms',
    unit: 'ms',
    cell: 'stored-rooms',
    target: 'bcast-sqlite',
    metric: 'startMs',
  },
  memoryEmpty: {
    what: 'a server on an empty file',
    unit: 'MiB',
    cell: 'stored-nothing',
    target: 'bcast-sqlite',
    metric: 'residentMiB',
  },
  memoryStored: {
    what: 'a server on 100,000 rooms',
    unit: 'MiB',
    cell: 'stored-rooms',
    target: 'bcast-sqlite',
    metric: 'residentMiB',
  },
  redisEmpty: {
    what: 'Redis with a node and nothing else',
    unit: 'MiB',
    cell: 'stored-nothing',
    target: 'bcast-redis',
    metric: 'redisMiB',
  },
  redisStored: {
    what: 'the same with 100,000 rooms of a message, read from its file',
    unit: 'MiB',
    cell: 'stored-rooms',
    target: 'bcast-redis',
    metric: 'redisMiB',
  },
} satisfies Record<string, Known>;

export type FigureName = keyof typeof FIGURES;

export type Values = Readonly<Record<FigureName, number>>;

/** What of it the results have. */
export function readFigures(results: Results): Partial<Record<FigureName, Figure>> {
  const names = Object.keys(FIGURES) as FigureName[];
  return Object.fromEntries(
    names.flatMap((name) => {
      const { cell, target, metric } = FIGURES[name];
      const figure = figureOf(results, cell, target, metric);
      return figure === undefined ? [] : [[name, figure]];
    }),
  );
}
