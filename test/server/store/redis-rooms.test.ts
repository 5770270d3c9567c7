import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { NameKey } from '../../../lib/protocol/names.ts';
import type { RedisConnection } from '../../../lib/server/redis/connection.ts';
import { RedisFailure } from '../../../lib/server/redis/failure.ts';
import { decodeFeed, originOf } from '../../../lib/server/redis/feed.ts';
import { APPEND } from '../../../lib/server/store/redis/scripts.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';
import { redisForTest } from '../../helpers/redis.ts';
import { startRedis, type TestRedis } from '../../helpers/redis-server.ts';
import { draft, ROOM, readAll } from './redis-load.ts';
import { connectForTest, hex, redisStore } from './redis-store.ts';

const HOUR_MS = 3_600_000;
const OTHER = 'other' as NameKey;

let redis: TestRedis;

beforeAll(async () => {
  redis = await startRedis();
});

afterAll(() => redis.stop());

/** A connection that loses the answer to the next batch after each `cut`, when `meanwhile` is done. */
function losingAnswers(real: RedisConnection, meanwhile = async (): Promise<void> => undefined) {
  let isCut = false;
  const connection: RedisConnection = {
    ...real,
    async run(script, keys, args) {
      const reply = await real.run(script, keys, args);
      if (script !== APPEND || !isCut) return reply;
      isCut = false;
      await meanwhile();
      throw new RedisFailure('unavailable', 'the answer is lost');
    },
  };
  return {
    connection,
    cut(): void {
      isCut = true;
    },
  };
}

describe('a batch that is sent again', () => {
  test('is stored once, also when its first sending is executed after it', async () => {
    const real = await connectForTest(redis.url);
    let late: (() => Promise<unknown>) | undefined;
    const connection: RedisConnection = {
      ...real,
      async run(script, keys, args) {
        if (script !== APPEND || late !== undefined) return real.run(script, keys, args);
        late = () => real.run(script, keys, args);
        throw new RedisFailure('unavailable', 'it lies in a buffer');
      },
    };
    const store = await redisStore(redis.url, { connection });
    await store.open(ROOM);
    expect(await store.append([draft('one'), draft('two')])).toMatchObject([
      { seq: 1, isDuplicate: false },
      { seq: 2, isDuplicate: false },
    ]);
    expect(await late?.()).toEqual([-1, expect.any(Number), -2, expect.any(Number)]);
    expect((await readAll(store)).map(({ body }) => body)).toEqual(['one', 'two']);
  });

  test('is stored once though others have said thousands of things since', async () => {
    const prefix = hex();
    const other = await redisStore(redis.url, { prefix });
    await other.open(ROOM);
    const real = await connectForTest(redis.url);
    const { connection, cut } = losingAnswers(real, async () => {
      for (let i = 0; i < 50; i += 1) await other.append(Array.from({ length: 200 }, () => draft('meanwhile')));
    });
    cut();
    const store = await redisStore(redis.url, { prefix, connection });
    await store.open(ROOM);
    expect(await store.append([draft('one'), draft('two')])).toMatchObject([
      { seq: 1, isDuplicate: false },
      { seq: 2, isDuplicate: false },
    ]);
    expect(await store.append([draft('three')])).toMatchObject([{ seq: 10_003, isDuplicate: false }]);
  });

  test('tells what is new from what was there before', async () => {
    const real = await connectForTest(redis.url);
    const { connection, cut } = losingAnswers(real);
    const store = await redisStore(redis.url, { connection });
    await store.open(ROOM);
    const [old, fresh] = [draft('old', { isAgain: true }), draft('new', { isAgain: true })];
    await store.append([old]);
    cut();
    expect(await store.append([old, fresh, fresh])).toMatchObject([
      { seq: 1, isDuplicate: true },
      { seq: 2, isDuplicate: false },
      { seq: 2, isDuplicate: true },
    ]);
  });
});

describe('a Redis that has lost everything', () => {
  test('is given back what a node knows before anybody can make a room of the same name', async () => {
    const { url, admin } = await redisForTest();
    const prefix = hex();
    await admin.set(`${prefix}:epoch`, 1);
    const one = await redisStore(url, { prefix, recoveryMs: HOUR_MS });
    const before = await one.open(ROOM);
    await one.append([draft('one'), draft('two')]);
    await one.put('room', ROOM, { code: 'ABCDE' });
    one.recallBy(() => ({ last: 7, lastTs: 1, records: { room: { code: 'ABCDE' } } }));
    await admin.flushall();

    const other = await redisStore(url, { prefix, recoveryMs: HOUR_MS });
    const opening = other.open(ROOM);
    // It has been refused by then: both use one Redis, which does one thing after the other.
    await vi.waitFor(async () => expect(await admin.exists(`${prefix}:epoch`)).toBe(1));
    expect(await other.bounds(ROOM)).toBeNull();
    await one.checkAll();
    expect(await opening).toEqual({ ...before, first: 8, last: 7 });
    expect(await other.get('room', ROOM)).toMatchObject({ value: { code: 'ABCDE' } });
    expect(await other.list('room', { limit: 10 })).toMatchObject([{ key: ROOM }]);
    expect(await other.append([draft('three')])).toMatchObject([{ seq: 8 }]);
  });

  test('gives out new rooms again after a while', async () => {
    const { url } = await redisForTest();
    const store = await redisStore(url, { recoveryMs: 300 });
    expect(await store.open(ROOM)).toMatchObject({ first: 1, last: 0 });
  });

  test('loses a room to whoever began it anew, which its node is told', async () => {
    const { url, admin } = await redisForTest();
    const prefix = hex();
    const one = await redisStore(url, { prefix });
    await one.open(ROOM);
    const replaced: NameKey[] = [];
    one.onReplaced((room) => replaced.push(room));
    await admin.flushall();
    const other = await redisStore(url, { prefix });
    const { incarnation } = await other.open(ROOM);
    await expect(one.append([draft('one')])).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(replaced).toEqual([ROOM]);
    await expect(one.append([draft('one')])).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(await other.bounds(ROOM)).toMatchObject({ last: 0 });
    expect(await one.open(ROOM)).toMatchObject({ incarnation });
    expect(await one.append([draft('one')])).toMatchObject([{ seq: 1 }]);
  });

  test('puts back all rooms once one is found missing', async () => {
    const { url, admin } = await redisForTest();
    const prefix = hex();
    const store = await redisStore(url, { prefix });
    const rooms = Array.from({ length: 300 }, (_, i) => `room-${i}` as NameKey);
    const before = await Promise.all(rooms.map((room) => store.open(room)));
    await admin.flushall();
    await store.append([draft('one', { room: rooms[7] as NameKey })]);
    await vi.waitFor(async () => expect(await admin.keys('*:head')).toHaveLength(300));
    const after = await Promise.all(rooms.map((room) => store.bounds(room)));
    expect(after.map((bounds) => bounds?.incarnation)).toEqual(before.map(({ incarnation }) => incarnation));
  });

  test('is noticed by a node in whose rooms nothing happens', async () => {
    const { url, admin } = await redisForTest();
    const clock = new ManualClock();
    const store = await redisStore(url, { clock });
    const before = await store.open(ROOM);
    await admin.flushall();
    clock.advance(5_000);
    await vi.waitFor(async () => expect(await store.bounds(ROOM)).toEqual(before));
  });
});

describe('a room', () => {
  test('takes up where another server left off that knew less', async () => {
    const prefix = hex();
    const store = await redisStore(redis.url, { prefix });
    await store.open(ROOM);
    await store.append([draft('one')]);
    store.heard(ROOM, 41, 9_000_000_000_000);
    expect(await store.append([draft('two')])).toEqual([{ seq: 42, ts: 9_000_000_000_000, isDuplicate: false }]);
    expect((await readAll(store)).map(({ seq }) => seq)).toEqual([1, 42]);
    expect((await store.read(ROOM, { before: 42, limit: 9 })).map(({ seq }) => seq)).toEqual([1]);
    expect(await store.bounds(ROOM)).toMatchObject({ first: 1, last: 42 });
  });

  test('ends some time after its node was killed, with everything it had, unless it is retained', async () => {
    const prefix = hex();
    const connection = await connectForTest(redis.url);
    const store = await redisStore(redis.url, { prefix, connection, leaseMs: 500 });
    for (const room of [ROOM, OTHER]) {
      await store.open(room);
      await store.append([draft('one', { room })]);
      await store.put('room', room, 1);
      await store.put('read', room, 1, { expiresMs: Date.now() + HOUR_MS });
    }
    await store.retain(OTHER, true);
    const keysOf = async (room: NameKey) => redis.admin.keys(`${prefix}:{${room}}:*`);
    const ttls = await Promise.all((await keysOf(ROOM)).map((key) => redis.admin.pttl(key)));
    expect(ttls).toHaveLength(5);
    for (const ttl of ttls) expect(ttl === -2 || (ttl >= 0 && ttl <= 500)).toBe(true);
    connection.close();
    await vi.waitFor(async () => expect(await keysOf(ROOM)).toEqual([]), 10_000);
    expect(await keysOf(OTHER)).toHaveLength(5);
  });

  test('lives as long as a node has it open, and no longer once it is released', async () => {
    const prefix = hex();
    const clock = new ManualClock();
    const store = await redisStore(redis.url, { prefix, clock, leaseMs: HOUR_MS });
    for (const room of [ROOM, OTHER]) {
      await store.open(room);
      await store.append([draft('one', { room })]);
      await store.put('room', room, 1);
    }
    await store.release(OTHER);
    const keys = await redis.admin.keys(`${prefix}:{*`);
    expect(keys).toHaveLength(8);
    await Promise.all(keys.map((key) => redis.admin.pexpire(key, 60_000)));
    clock.advance(5_000);
    await vi.waitFor(async () => expect(await redis.admin.pttl(`${prefix}:{${ROOM}}:head`)).toBeGreaterThan(60_000));
    for (const key of keys) {
      const isOpen = key.includes(ROOM);
      expect([key, (await redis.admin.pttl(key)) > 60_000]).toEqual([key, isOpen]);
    }
  });

  test('lets go of what is too old while it is open', async () => {
    const prefix = hex();
    const clock = new ManualClock();
    const store = await redisStore(redis.url, { prefix, clock, keepMs: 10_000 });
    await store.open(ROOM);
    await store.append(Array.from({ length: 1_000 }, (_, i) => draft(`${i}`, { ts: clock.nowMs() })));
    const log = `${prefix}:{${ROOM}}:log`;
    expect(await redis.admin.xlen(log)).toBe(1_000);
    clock.jump(10_001);
    clock.advance(5_000);
    await vi.waitFor(async () => expect(await redis.admin.xlen(log)).toBeLessThan(100));
  });

  test('keeps no more in Redis than it promises, but for a handful', async () => {
    const prefix = hex();
    const store = await redisStore(redis.url, { prefix, keepMessages: 200 });
    await store.open(ROOM);
    for (let i = 0; i < 60; i += 1) await store.append(Array.from({ length: 200 }, (_, n) => draft(`${i} ${n}`)));
    expect(await redis.admin.xlen(`${prefix}:{${ROOM}}:log`)).toBeLessThanOrEqual(300);
    const ids = await redis.admin.hlen(`${prefix}:{${ROOM}}:ids`);
    expect(ids + (await redis.admin.hlen(`${prefix}:{${ROOM}}:ids-old`))).toBeLessThanOrEqual(2 * 4_096 + 256);
  });

  test('is not put back by what comes late after it was forgotten', async () => {
    const prefix = hex();
    const store = await redisStore(redis.url, { prefix });
    await store.open(ROOM);
    await Promise.allSettled([store.forget(ROOM), store.append([draft('late')]), store.checkAll()]);
    await store.checkAll();
    expect(await redis.admin.keys(`${prefix}:{*`)).toEqual([]);
  });

  test('of another incarnation is not forgotten by mistake', async () => {
    const prefix = hex();
    const [one, other] = [await redisStore(redis.url, { prefix }), await redisStore(redis.url, { prefix })];
    await one.open(ROOM);
    await other.forget(ROOM);
    const { incarnation } = await other.open(ROOM);
    await one.forget(ROOM);
    expect(await other.bounds(ROOM)).toMatchObject({ incarnation });
  });
});

describe('a search', () => {
  test('looks so far and no further, says how far, and can go on from there', async () => {
    const store = await redisStore(redis.url);
    await store.open(ROOM);
    await store.append([draft('needle')]);
    for (let i = 0; i < 30; i += 1) await store.append(Array.from({ length: 200 }, () => draft('hay')));
    const query = { words: ['needle'], limit: 10 };
    const found = await store.search(ROOM, query);
    expect(found).toEqual({ messages: [], from: 1_002 });
    expect(await store.search(ROOM, { ...query, before: found.from })).toMatchObject({
      messages: [{ seq: 1 }],
      from: 1,
    });
  });

  test('ends with what it has found, however long the messages are', async () => {
    const store = await redisStore(redis.url);
    await store.open(ROOM);
    const body = `needle ${'x'.repeat(65_000)}`;
    await store.append(Array.from({ length: 400 }, () => draft(body)));
    const { messages, from } = await store.search(ROOM, { words: ['needle'], limit: 1_000 });
    expect(messages.map(({ seq }) => seq)).toEqual(Array.from({ length: 100 }, (_, i) => 301 + i));
    expect(from).toBe(301);
  });
});

describe('an index of records', () => {
  test('loses what is gone, although nobody lists it', async () => {
    const prefix = hex();
    const clock = new ManualClock();
    const store = await redisStore(redis.url, { prefix, clock });
    const names = Array.from({ length: 250 }, (_, i) => `room-${i}` as NameKey);
    for (const name of names) await store.put('room', name, 1);
    await store.open(ROOM);
    await store.put('room', ROOM, 1);
    // As if their leases had ended.
    await redis.admin.del(names.map((name) => `${prefix}:{${name}}:room`));
    clock.advance(60_000);
    await vi.waitFor(async () => expect(await redis.admin.zrange(`${prefix}:index:room`, '0', '-1')).toEqual([ROOM]));
  });
});

describe('scripts', () => {
  test('are sent anew to a Redis that has forgotten them', async () => {
    const store = await redisStore(redis.url);
    await store.open(ROOM);
    await store.append([draft('one')]);
    await redis.admin.script('FLUSH');
    expect(await store.append([draft('two')])).toMatchObject([{ seq: 2 }]);
    await redis.admin.script('FLUSH');
    expect(await readAll(store)).toHaveLength(2);
  });
});

describe('what others wrote', () => {
  test.each([
    ['a head that is none', 'head', ['HSET', 'incarnation', 'x', 'last', 'y']],
    ['a head with a strange incarnation', 'head', ['HSET', 'incarnation', 'A'.repeat(100_000)]],
    ['a head of another kind', 'head', ['SET', 'x']],
    ['a log of another kind', 'log', ['SET', 'x']],
    ['an entry that is no message', 'log', ['XADD', '9-9', 'm', 'rubbish']],
    ['an entry with a name that is none', 'log', ['XADD', '9-9', 'm', `t${'0'.repeat(32)}${'A'.repeat(43)}a b\nx`]],
  ])('is not believed: %s', async (_what, key, [command, ...args]) => {
    const prefix = hex();
    const store = await redisStore(redis.url, { prefix });
    await store.open(ROOM);
    await store.append([draft('one')]);
    const at = `${prefix}:{${ROOM}}:${key}`;
    if (command === 'SET') await redis.admin.del(at);
    await redis.admin.call(command as string, at, ...args);
    if (key === 'log' && command === 'XADD') await redis.admin.hset(`${prefix}:{${ROOM}}:head`, 'last', 9);
    await expect(store.read(ROOM, { after: 0, limit: 10 })).rejects.toMatchObject({ code: 'INTERNAL' });
  });

  test.each(['1', 'x \n1', '1 \n{', '0 \n1', `1 \n${'1'.repeat(2_000_000)}`])(
    'is not believed: record %#',
    async (text) => {
      const prefix = hex();
      const store = await redisStore(redis.url, { prefix });
      await redis.admin.set(`${prefix}:{alice}:account`, text);
      await expect(store.get('account', 'alice')).rejects.toMatchObject({ code: 'INTERNAL' });
    },
  );
});

describe('what was stored', () => {
  test('is told to the nodes that listen, with who stored it', async () => {
    const prefix = hex();
    const nodeId = hex();
    const store = await redisStore(redis.url, { prefix, nodeId });
    const { incarnation } = await store.open(ROOM);
    const heard: Buffer[] = [];
    const listener = redis.admin.duplicate();
    await listener.ssubscribe(`${prefix}:{${ROOM}}`);
    listener.on('smessageBuffer', (_channel: Buffer, payload: Buffer) => heard.push(payload));
    const drafts = [draft('one'), draft('zwei ß 日本'), draft('one', { isAgain: true })];
    await store.append([...drafts, { ...(drafts[0] as (typeof drafts)[0]), isAgain: true }]);
    await store.append([{ ...(drafts[1] as (typeof drafts)[0]), isAgain: true }]);
    await vi.waitFor(() => expect(heard).toHaveLength(1));
    listener.disconnect();
    const [payload] = heard as [Buffer];
    expect(originOf(payload)).toBe(nodeId);
    expect(decodeFeed(ROOM, payload)).toEqual({ origin: nodeId, incarnation, messages: await readAll(store) });
    for (let end = 0; end < payload.length; end += 1) expect(decodeFeed(ROOM, payload.subarray(0, end))).toBeNull();
    expect(decodeFeed(ROOM, Buffer.concat([payload, Buffer.from('x')]))).toBeNull();
  });
});
