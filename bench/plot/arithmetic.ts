import type { Values } from './figures.ts';

/** What is assumed of a million users; docs/SCALING.md shows these, and computes with them. */
const ASSUMED = {
  users: 1_000_000,
  roomMembers: 50,
  /** Between two messages of one user, in seconds. */
  silenceS: 300,
  /** Between two private messages of one user, in seconds. */
  privateSilenceS: 1_800,
  /** How busy the core of a node, and of a Redis, may be. */
  busy: 0.5,
  /** Memory of a node for sessions, in KiB. */
  nodeMemoryKiB: 2 * 2 ** 20,
  historyMessages: 1_000,
  /**
   * A write of Redis to one more node, in microseconds. What is measured of it is less than that: where two nodes share a
   * core with Redis it reads more at a time, and saves as much.
   */
  writeUs: 5,
} as const;

/** Signs of life, from lib/server/backplane/redis and lib/server/store/redis, in seconds. */
const NAME_BEAT_S = 5;
const ROOM_BEAT_S = 20;
const STORE_LEASE_S = 600 / 3;
const NODE_BEAT_S = 5;

export interface Step {
  readonly what: string;
  readonly how: string;
  readonly value: number;
}

/** From measured figures to a million users, step by step. */
export function computeMillion(figures: Values): readonly Step[] {
  const { users, roomMembers, silenceS } = ASSUMED;
  const rooms = users / roomMembers;
  const messages = users / silenceS;
  const load = { rooms, messages };
  const nodes = computeNodes(figures);
  return [
    step('rooms', `${number(users)} users / ${roomMembers} members`, rooms),
    step('messages a second', `one of each user in ${silenceS} s`, messages),
    step('deliveries a second', `messages × ${roomMembers - 1}`, messages * (roomMembers - 1)),
    ...nodes.steps,
    ...redisSteps(figures, load, nodes),
    ...breakingSteps(figures, nodes.count),
  ];
}

interface Nodes {
  readonly count: number;
  /** How many of them have a member of a room, when members are put on nodes by chance. */
  readonly hearing: number;
}

function computeNodes(figures: Values): Nodes & { readonly steps: readonly Step[] } {
  const { users, roomMembers, silenceS, busy, nodeMemoryKiB } = ASSUMED;
  const perUser = figures.idle + ((roomMembers - 1) / silenceS) * figures.hearingAlone;
  const byCpu = (busy * 1e6) / perUser;
  const byMemory = nodeMemoryKiB / figures.memory;
  const count = users / Math.min(byCpu, byMemory);
  const hearing = count * (1 - (1 - 1 / count) ** roomMembers);
  const steps = [
    step('CPU of a node for a user, µs a second', '`idle` + deliveries to it × `hearingAlone`', perUser),
    step('users on a node by CPU', `${busy * 100} % of a core / the line above`, byCpu),
    step('users on a node by memory', `${nodeMemoryKiB / 2 ** 20} GiB / \`memory\``, byMemory),
    step('nodes, each a core', 'users / the smaller of both', count),
    step('nodes that hear a room', `${roomMembers} members put on nodes by chance`, hearing),
  ];
  return { count, hearing, steps };
}

function redisSteps(
  figures: Values,
  { rooms, messages }: { readonly rooms: number; readonly messages: number },
  { hearing }: Nodes,
): Step[] {
  const { users, busy, historyMessages, writeUs } = ASSUMED;
  const leaseUs = figures.redisIdle / figures.leases;
  const leases = users / NAME_BEAT_S + rooms * hearing * (1 / ROOM_BEAT_S + 1 / STORE_LEASE_S);
  const perHearerUs = Math.max(writeUs, figures.redisAloneTwo - figures.redisAlone);
  const messageUs = figures.redisAlone + (hearing - 1) * perHearerUs;
  const leaseCores = (leases * leaseUs) / 1e6;
  const messageCores = (messages * messageUs) / 1e6;
  const bytesOut = figures.bytesOut + (hearing - 1) * (figures.bytesOutTwo - figures.bytesOut);
  const leaseHow = `users / ${NAME_BEAT_S} s + rooms × nodes that hear × (1/${ROOM_BEAT_S} s + 1/${STORE_LEASE_S} s)`;
  const messageHow = `\`redisAlone\` + (nodes that hear − 1) × (\`redisAloneTwo\` − \`redisAlone\`, at least ${writeUs})`;
  const bytesHow = '`bytesOut` + (nodes that hear − 1) × (`bytesOutTwo` − `bytesOut`)';
  const historyGb = (rooms * historyMessages * figures.stored) / 1e9;
  return [
    step('lease scripts a second', leaseHow, leases),
    step('CPU of a lease script, µs', '`redisIdle` / `leases`', leaseUs),
    step('cores of Redis for leases', 'scripts × their CPU', leaseCores),
    step('CPU of Redis for a message, µs', messageHow, messageUs),
    step('cores of Redis for messages', 'messages × that', messageCores),
    step('masters of the Cluster', `cores / ${busy}`, (leaseCores + messageCores) / busy),
    step('bytes out of Redis for a message', bytesHow, bytesOut),
    step('MB a second into all masters', 'messages × `bytesIn`', (messages * figures.bytesIn) / 1e6),
    step('MB a second out of all masters', 'messages × the bytes out', (messages * bytesOut) / 1e6),
    step('GB in Redis for sessions', 'users × `redisSession`', (users * figures.redisSession) / 1e9),
    step(`GB in Redis for ${number(historyMessages)} messages a room`, 'rooms × messages × `stored`', historyGb),
  ];
}

function breakingSteps(figures: Values, nodes: number): Step[] {
  const { users, privateSilenceS } = ASSUMED;
  const privates = users / privateSilenceS;
  const backS = (users * figures.connecting) / 1e6 / nodes;
  return [
    step('connections from nodes to a master', 'nodes × 2', nodes * 2),
    step('private messages a second, heard by every node', `one of each user in ${privateSilenceS} s`, privates),
    step(
      'CPU of a node for them, % of a core',
      'them × `hearingAlone`, at most',
      (privates * figures.hearingAlone) / 1e4,
    ),
    step('names of nodes that signs of life read a second', `nodes² / ${NODE_BEAT_S} s`, nodes ** 2 / NODE_BEAT_S),
    step('messages a second in one room, many at once', '1 s / `redisPacked`', 1e6 / figures.redisPacked),
    step('seconds until all are back after all were cut off', 'users × `connecting` / nodes', backS),
  ];
}

function step(what: string, how: string, value: number): Step {
  return { what, how, value };
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}
