import type { Cell } from './job.ts';

export interface PlannedCell {
  /** How the report calls it; `--only` matches its beginning. */
  readonly name: string;
  readonly cell: Cell;
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

/** `quick` takes one run of short cells: enough to see an order of magnitude, too little to compare by. */
export function makePlan(quick: boolean): Plan {
  const time = quick ? { warmUpMs: 300, measureMs: 700 } : { warmUpMs: 1_500, measureMs: 4_000 };
  const flow = { windowMessages: WINDOW_MESSAGES, ...time };
  const joins = { warmUpConnections: quick ? 100 : 300, connections: quick ? 300 : 2_000, perRoom: ROOM_MEMBERS };
  const idle = { ...joins, warmUpConnections: 100, settleMs: quick ? 500 : 3_000 };
  const steady = { rooms: 100, membersPerRoom: ROOM_MEMBERS, deliveriesPerS: 20_000 };
  return {
    runs: quick ? 1 : 2,
    cells: [
      { name: 'fanout-10', cell: { scenario: 'fanout', members: 10, ...flow } },
      { name: 'fanout-100', cell: { scenario: 'fanout', members: 100, ...flow } },
      { name: 'fanout-1000', cell: { scenario: 'fanout', members: 1_000, ...flow } },
      { name: 'waiting-100', cell: { scenario: 'waiting', members: 100, ...flow } },
      { name: 'acks-1', cell: { scenario: 'acks', publishers: 1, ...time } },
      { name: 'acks-50', cell: { scenario: 'acks', publishers: 50, ...time } },
      { name: 'steady-100x10', cell: { scenario: 'steady', ...steady, ...time } },
      { name: 'connections', cell: { scenario: 'connections', ...joins } },
      { name: 'memory', cell: { scenario: 'memory', ...idle } },
    ],
  };
}
