import { describe, expect, test, vi } from 'vitest';
import type { NameKey } from '../../../lib/protocol/names.ts';
import { redisForTest, sentinelForTest } from '../../helpers/redis.ts';
import { redisClusterForTest, type TestRedisCluster } from '../../helpers/redis-cluster.ts';
import { draft, expectTold, keepMessages, ROOM, readAll, startLoad } from './redis-load.ts';
import { redisStore } from './redis-store.ts';

/** Enough that each of three masters has some. */
const ROOMS = Array.from({ length: 9 }, (_, i) => `room-${i}` as NameKey);
const LONG = { timeout: 120_000 };

describe('a Cluster', LONG, () => {
  test('that loses a master loses nothing that a replica had, and tells nobody otherwise', async () => {
    const cluster = await redisClusterForTest({ replicas: 1 });
    const store = await redisStore(cluster.url, { keepMessages, wait: 1, timeoutMs: 2_000 });
    for (const room of ROOMS) await store.open(room);
    const loads = ROOMS.map((room) => ({ room, load: startLoad(store, { room, speakers: 2 }) }));
    await Promise.all(loads.map(({ load }) => load.more(20)));
    const [master] = cluster.masters;
    await master?.kill();
    await vi.waitFor(async () => expect(await rolesOf(cluster)).toContain('master'), { timeout: 60_000, interval: 50 });
    // What the new master has is safe once the old one is back, as its replica.
    await master?.start();
    await Promise.all(loads.map(({ load }) => load.more(20)));
    for (const { room, load } of loads) {
      await load.stop();
      expectTold(await readAll(store, room), load.told);
    }
  });

  test('that loses one of its masters serves the rooms of the others', async () => {
    const cluster = await redisClusterForTest({
      isPersistent: true,
      config: { 'cluster-require-full-coverage': 'no' },
    });
    const store = await redisStore(cluster.url, { timeoutMs: 2_000 });
    for (const room of ROOMS) await store.open(room);
    const [master] = cluster.masters as [TestRedisCluster['masters'][0]];
    const gone = await roomsOf(master.admin);
    expect(gone.length).toBeGreaterThan(0);
    await master.kill();
    const appends = ROOMS.map((room) => store.append([draft('one', { room })]));
    const settled: NameKey[] = [];
    appends.forEach((append, i) => void append.then(() => settled.push(ROOMS[i] as NameKey)));
    await vi.waitFor(() => expect(settled.length).toBe(ROOMS.length - gone.length), { timeout: 60_000 });
    expect(settled.filter((room) => gone.includes(room))).toEqual([]);
    await master.start();
    for (const append of appends) expect(await append).toMatchObject([{ seq: 1, isDuplicate: false }]);
    for (const room of ROOMS) expect(await readAll(store, room)).toHaveLength(1);
  });

  test('of which a master comes back empty gets its rooms back, and no room is made there meanwhile', async () => {
    const cluster = await redisClusterForTest();
    const prefix = 'bcast';
    const store = await redisStore(cluster.url, { prefix });
    const before = await Promise.all(ROOMS.map((room) => store.open(room)));
    for (const room of ROOMS) await store.append([draft('one', { room })]);
    const [master] = cluster.masters as [TestRedisCluster['masters'][0]];
    const lost = await roomsOf(master.admin);
    store.recallBy((room) => (room === lost[0] ? { records: { room: { code: 'ABCDE' } } } : undefined));
    await master.kill();
    await master.start({ withData: false });
    const other = await redisStore(cluster.url, { prefix, recoveryMs: 3_600_000 });
    const opened = await Promise.all(lost.map((room) => untilOpen(() => other.open(room))));
    const after = await Promise.all(ROOMS.map((room) => store.bounds(room)));
    expect(after.map((bounds) => bounds?.incarnation)).toEqual(before.map(({ incarnation }) => incarnation));
    expect(opened).toEqual(lost.map((room) => ({ ...before[ROOMS.indexOf(room)], first: 2, last: 1 })));
    expect(await other.get('room', lost[0] as NameKey)).toMatchObject({ value: { code: 'ABCDE' } });
    for (const room of ROOMS) expect(await store.append([draft('two', { room })])).toMatchObject([{ seq: 2 }]);
  });

  test('that moves a room to another master while people talk in it loses nothing', async () => {
    const cluster = await redisClusterForTest();
    const store = await redisStore(cluster.url, { keepMessages, prefix: 'bcast' });
    await store.open(ROOM);
    const load = startLoad(store);
    await load.more(100);
    for (let i = 0; i < 3; i += 1) {
      await moveSlot(cluster, `bcast:{${ROOM}}`);
      await load.more(100);
    }
    await load.stop();
    expectTold(await readAll(store), load.told);
  });
});

describe('a master behind a sentinel', LONG, () => {
  test('is replaced by its replica, and the store finds the new one', async () => {
    const master = await redisForTest();
    const replica = await redisForTest({ config: { replicaof: `127.0.0.1 ${master.port}` } });
    const sentinel = await sentinelForTest(master);
    const store = await redisStore(sentinel.url, { wait: 0, timeoutMs: 2_000 });
    const careful = await redisStore(master.url, { wait: 1, prefix: 'careful' });
    await store.open(ROOM);
    await store.append([draft('one')]);
    // So that the replica has what came before, and the sentinel knows of it.
    await careful.put('account', 'alice', 1);
    await vi.waitFor(async () => expect(await replicasKnown(sentinel.url)).toBe(1), { timeout: 60_000, interval: 50 });
    await master.kill();
    expect(await store.append([draft('two')])).toMatchObject([{ seq: 2, isDuplicate: false }]);
    expect(await replica.admin.role()).toContain('master');
    expect((await readAll(store)).map(({ body }) => body)).toEqual(['one', 'two']);
  });
});

async function rolesOf({ replicas }: TestRedisCluster): Promise<unknown[]> {
  return Promise.all(replicas.flat().map(async ({ admin }) => (await admin.role())[0]));
}

type Admin = TestRedisCluster['masters'][0]['admin'];

/** The rooms whose keys this server has. */
async function roomsOf(admin: Admin): Promise<NameKey[]> {
  const keys = await admin.keys('*:head');
  return ROOMS.filter((room) => keys.some((key) => key.includes(`{${room}}`)));
}

/** As a client would: asks again when it is told to. */
async function untilOpen<T>(open: () => Promise<T>): Promise<T> {
  return vi.waitFor(open, { timeout: 60_000, interval: 50 });
}

/** Moves the slot of a key to the next master, as `redis-cli --cluster reshard` does it. */
async function moveSlot({ masters }: TestRedisCluster, key: string): Promise<void> {
  const slot = (await masters[0]?.admin.call('CLUSTER', 'KEYSLOT', key)) as number;
  const held = await Promise.all(masters.map(({ admin }) => admin.call('CLUSTER', 'COUNTKEYSINSLOT', slot)));
  const at = held.findIndex((count) => Number(count) > 0);
  const [from, to] = [masters[at], masters[(at + 1) % masters.length]] as [
    TestRedisCluster['masters'][0],
    (typeof masters)[0],
  ];
  const [fromId, toId] = await Promise.all([from, to].map(({ admin }) => admin.call('CLUSTER', 'MYID')));
  await to.admin.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId as string);
  await from.admin.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId as string);
  const keys = (await from.admin.call('CLUSTER', 'GETKEYSINSLOT', slot, 100)) as string[];
  for (const each of keys) await from.admin.call('MIGRATE', '127.0.0.1', to.port, each, 0, 10_000);
  await to.admin.call('CLUSTER', 'SETSLOT', slot, 'NODE', toId as string);
  for (const { admin } of masters) await admin.call('CLUSTER', 'SETSLOT', slot, 'NODE', toId as string);
}

async function replicasKnown(sentinelUrl: string): Promise<number> {
  const { Redis } = await import('ioredis');
  const port = Number(/:(\d+)\//.exec(sentinelUrl)?.[1]);
  const sentinel = new Redis({ port, host: '127.0.0.1' });
  const replicas = (await sentinel.call('SENTINEL', 'REPLICAS', 'main')) as unknown[];
  sentinel.disconnect();
  return replicas.length;
}
