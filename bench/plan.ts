import type { Cell } from './job.ts';
import type { Placing } from './scenarios/placing.ts';
import type { Stock } from './stock/stock.ts';

export interface PlannedCell {
  /** How the report calls it; `--only` matches its beginning. */
  readonly name: string;
  readonly cell: Cell;
  /** By name, in the order of the columns, when nobody says otherwise. */
  readonly targets: readonly string[];
  /** What the store holds when the server starts. */
  readonly stock?: Stock;
  /** Takes long: measured only when it is asked for. */
  readonly isHeavy?: true;
}

export interface Plan {
  readonly runs: number;
  readonly cells: readonly PlannedCell[];
}

/**
 * The same for all targets. 1,024 messages keep nats-server at 90 % of its core with 10 members already (256: a fifth
 * less delivered), and are at most 128 KiB of bodies on the way to a member, which every server here queues without
 * dropping any.
 */
const WINDOW_MESSAGES = 1_024;
const ROOM_MEMBERS = 10;

/** Beside whom bcast is measured. */
const PEERS = ['bcast', 'nats', 'ws'];
/** What durability costs. */
const STORES = ['bcast', 'bcast-sqlite', 'bcast-redis'];
/** One node, two, four; all on a Redis. */
const NODES = ['bcast-redis', 'bcast-2-nodes', 'bcast-4-nodes'];

/**
 * So long, at the rate of a steady cell, V8 compiles what runs often. It does so in a thread beside the server's, and on the one
 * core they have a server waits for it now and then.
 */
const COMPILED_MS = 15_000;

/** `quick` takes one run of short cells: enough to see an order of magnitude, too little to compare by. */
export function makePlan(quick: boolean): Plan {
  const time = quick ? { warmUpMs: 300, measureMs: 700 } : { warmUpMs: 1_500, measureMs: 4_000 };
  const shorter = quick ? time : { warmUpMs: 1_000, measureMs: 3_000 };
  return { runs: quick ? 1 : 2, cells: [...besidePeers(quick, time), ...onRedis(time, shorter), ...ofHistory(quick)] };
}

type Time = Readonly<Record<'warmUpMs' | 'measureMs', number>>;

function besidePeers(quick: boolean, time: Time): PlannedCell[] {
  const joins = { warmUpConnections: quick ? 100 : 300, connections: quick ? 300 : 2_000, perRoom: ROOM_MEMBERS };
  const idle = { ...joins, warmUpConnections: 100, settleMs: quick ? 500 : 3_000 };
  const steady = {
    rooms: 100,
    membersPerRoom: ROOM_MEMBERS,
    placing: 'even',
    deliveriesPerS: 20_000,
    ...time,
    ...(!quick && { warmUpMs: COMPILED_MS }),
  } as const;
  const acknowledging = [...PEERS, ...STORES.slice(1)];
  const withRedis = [...PEERS, 'bcast-redis'];
  return [
    { name: 'fanout-10', targets: PEERS, cell: fanout(10, time) },
    { name: 'fanout-100', targets: [...PEERS, 'bcast-sqlite'], cell: fanout(100, time) },
    { name: 'fanout-1000', targets: PEERS, cell: fanout(1_000, time) },
    {
      name: 'waiting-100',
      targets: PEERS,
      cell: { scenario: 'waiting', members: 100, windowMessages: WINDOW_MESSAGES, ...time },
    },
    { name: 'acks-1', targets: acknowledging, cell: { scenario: 'acks', publishers: 1, ...time } },
    { name: 'acks-50', targets: acknowledging, cell: { scenario: 'acks', publishers: 50, ...time } },
    { name: 'steady-100x10', targets: PEERS, cell: { scenario: 'steady', ...steady } },
    { name: 'connections', targets: withRedis, cell: { scenario: 'connections', ...joins } },
    { name: 'memory', targets: withRedis, cell: { scenario: 'memory', ...idle } },
  ];
}

function fanout(members: number, time: Time, placing: Placing = 'even'): Cell {
  return { scenario: 'fanout', members, placing, windowMessages: WINDOW_MESSAGES, ...time };
}

function onRedis(time: Time, shorter: Time): PlannedCell[] {
  const steady = { scenario: 'steady', membersPerRoom: 4, deliveriesPerS: 12_000, ...shorter } as const;
  const rooms = [1, 10, 100, 1_000].map(
    (count): PlannedCell => ({
      name: `rooms-${count}`,
      targets: ['bcast', 'bcast-redis'],
      cell: { ...steady, rooms: count, placing: 'even' },
    }),
  );
  return [
    { name: 'nodes-100', targets: NODES, cell: fanout(100, time) },
    { name: 'hearing-100', targets: NODES.slice(1), cell: fanout(100, time, 'at-first') },
    ...rooms,
    { name: 'hearing-rooms', targets: ['bcast-2-nodes'], cell: { ...steady, rooms: 100, placing: 'at-first' } },
  ];
}

function ofHistory(quick: boolean): PlannedCell[] {
  const messages = quick ? 20_000 : 1_000_000;
  const keepMessages = 10_000;
  const stored = { scenario: 'stored', settleMs: quick ? 500 : 3_000 } as const;
  const idle = quick ? { sessions: 200, measureMs: 6_000 } : { sessions: 2_000, measureMs: 20_000 };
  return [
    {
      name: 'resume',
      targets: STORES,
      cell: { scenario: 'resume', messages: keepMessages, times: quick ? 3 : 20 },
    },
    {
      name: 'idle',
      targets: ['bcast', 'bcast-redis'],
      cell: { scenario: 'idle', perRoom: ROOM_MEMBERS, settleMs: quick ? 500 : 3_000, ...idle },
      isHeavy: true,
    },
    {
      name: 'lookup',
      targets: STORES.slice(1),
      cell: { scenario: 'lookup', messages, times: quick ? 50 : 500 },
      stock: { rooms: 1, messagesPerRoom: messages, keepMessages: messages },
      isHeavy: true,
    },
    { name: 'stored-nothing', targets: STORES.slice(1), cell: stored, isHeavy: true },
    {
      name: 'stored-rooms',
      targets: STORES.slice(1),
      cell: stored,
      stock: { rooms: quick ? 1_000 : 100_000, messagesPerRoom: 1, keepMessages },
      isHeavy: true,
    },
  ];
}
