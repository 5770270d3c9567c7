import { expect, test, vi } from 'vitest';
import { requireRoomName } from '../../lib/protocol/names.ts';
import { enterPeer, type Peer } from '../helpers/peer.ts';
import { redisForTest } from '../helpers/redis.ts';
import { expectSound, type NodeProcess, report, startNodes } from './node-process.ts';

const PATIENCE = { timeout: 30_000, interval: 10 };
const ROOMS = ['den', 'attic', 'cellar'].map(requireRoomName);

test('after a hundred random joins and leaves every node has the same and right lists and counts; a name raced for has one bearer', {
  timeout: 180_000,
}, async () => {
  const redis = await redisForTest();
  const nodes = (await startNodes([redis.url, redis.url, redis.url])) as [NodeProcess, NodeProcess, NodeProcess];
  const people: Peer[] = [];
  for (let i = 0; i < 15; i += 1) people.push(await enterPeer(`p${i}`, { port: portOf(nodes, i) }));
  const witnesses: Peer[] = [];
  for (const [i, { port }] of nodes.entries()) {
    const witness = await enterPeer(`w${i}`, { port });
    for (const room of ROOMS) await witness.join(room);
    witnesses.push(witness);
  }
  const inside = new Map(ROOMS.map((room) => [room, new Set(['w0', 'w1', 'w2'])]));
  await walk(people, inside);
  const endedMs = performance.now();
  const expected = new Map([...inside].map(([room, names]) => [room as string, [...names].sort()]));
  await vi.waitFor(async () => {
    for (const witness of witnesses) expect(await listsOf(witness)).toEqual(expected);
  }, PATIENCE);
  const listsMs = performance.now() - endedMs;
  const counts = [...expected].map(([room, names]) => ({ room, members: names.length }));
  await vi.waitFor(async () => {
    for (const witness of witnesses) expect(await countsOf(witness)).toEqual(expect.arrayContaining(counts));
  }, PATIENCE);
  const countsMs = performance.now() - endedMs;
  const won = await race(nodes);
  expectSound(nodes);
  report('a crowd on three nodes', {
    'lists right after ms': Math.round(listsMs),
    'counts right after ms': Math.round(countsMs),
    'names raced for': won.length,
    'with one bearer': won.filter((count) => count === 1).length,
  });
  expect(won).toEqual(won.map(() => 1));
});

/** A hundred joins and leaves, as fast as they are answered; the same in each run. */
async function walk(people: readonly Peer[], inside: ReadonlyMap<(typeof ROOMS)[0], Set<string>>): Promise<void> {
  let state = 7;
  const next = (most: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * most);
  };
  for (let step = 0; step < 100; step += 1) {
    const i = next(people.length);
    const room = ROOMS[next(ROOMS.length)] as (typeof ROOMS)[0];
    const names = inside.get(room) as Set<string>;
    const peer = people[i] as Peer;
    const isIn = names.delete(`p${i}`);
    if (!isIn) names.add(`p${i}`);
    const ask = isIn
      ? ({ type: 'leave', room } as const)
      : ({ type: 'join', room, watch: false, code: null, create: null } as const);
    expect(await peer.ask(ask)).toMatchObject({ type: 'ok' });
  }
}

async function listsOf(peer: Peer): Promise<Map<string, string[]>> {
  const lists = new Map<string, string[]>();
  for (const room of ROOMS) {
    const before = peer.events.length;
    await peer.ask({ type: 'names', room });
    const rows = peer.events.slice(before).flatMap((event) => (event.type === 'members' ? event.members : []));
    lists.set(room, rows.map(({ name }) => name as string).sort());
  }
  return lists;
}

async function countsOf(peer: Peer): Promise<{ readonly room: string; readonly members: number }[]> {
  const before = peer.events.length;
  await peer.ask({ type: 'rooms' });
  const rows = peer.events.slice(before).flatMap((event) => (event.type === 'rooms' ? event.rooms : []));
  return rows.map(({ room, members }) => ({ room, members }));
}

/** How many of those who want a name at the same time, on two nodes, got it, for each of a hundred names. */
async function race([one, two]: readonly NodeProcess[]): Promise<number[]> {
  const won: number[] = [];
  for (let i = 0; i < 100; i += 1) {
    const ports = [one?.port ?? 0, two?.port ?? 0];
    const results = await Promise.allSettled(ports.map((port) => enterPeer(`racer-${i}`, { port })));
    won.push(results.filter(({ status }) => status === 'fulfilled').length);
    for (const result of results) if (result.status === 'fulfilled') result.value.transport.destroy();
  }
  return won;
}

function portOf(nodes: readonly NodeProcess[], i: number): number {
  return nodes[i % nodes.length]?.port ?? 0;
}
