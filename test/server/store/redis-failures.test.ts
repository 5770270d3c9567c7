import { describe, expect, test, vi } from 'vitest';
import type { NameKey } from '../../../lib/protocol/names.ts';
import { startCuttingProxy } from '../../helpers/cutting-proxy.ts';
import { redisForTest } from '../../helpers/redis.ts';
import { draft, expectTold, inOrder, isSame, keepMessages, ROOM, readAll, startLoad } from './redis-load.ts';
import { hex, redisStore } from './redis-store.ts';

const UNAVAILABLE = { code: 'UNAVAILABLE', retryAfterMs: 1_000 };
const SHORT_MS = 300;

describe('a Redis store whose connection is cut', () => {
  test('stores each message once and in order, whatever was under way', { timeout: 60_000 }, async () => {
    const redis = await redisForTest();
    const prefix = hex();
    const proxies = await Promise.all([startCuttingProxy(redis.port), startCuttingProxy(redis.port)]);
    const stores = await Promise.all(
      proxies.map(({ port }) => redisStore(`redis://127.0.0.1:${port}`, { prefix, keepMessages })),
    );
    for (const store of stores) await store.open(ROOM);
    const loads = stores.map((store) => startLoad(store));
    for (let round = 0; round < 30; round += 1) {
      for (const [i, proxy] of proxies.entries()) {
        // In the middle of a request, in the middle of an answer, or all at once.
        if (round % 3 === 0) proxy.cut();
        else proxy.cutAfter(40 + 331 * round, round % 3 === 1 ? 'up' : 'down');
        await loads[i]?.more(20);
      }
    }
    await Promise.all(loads.map((load) => load.stop()));
    const history = await readAll(await redisStore(redis.url, { prefix, keepMessages }));
    const all = loads.flatMap(({ told }) => told);
    expectTold(history, all);
  });

  test('is not fooled by a request that Redis reads only after its repetition', async () => {
    const redis = await redisForTest();
    const proxy = await startCuttingProxy(redis.port);
    const prefix = hex();
    const store = await redisStore(`redis://127.0.0.1:${proxy.port}`, { prefix, timeoutMs: SHORT_MS });
    await store.open(ROOM);
    await store.append([draft('before')]);
    redis.pause();
    // It lies in the buffers of a connection that Redis still believes in when the next one is made.
    const append = store.append([draft('one'), draft('two')]);
    await lost(store);
    proxy.orphan();
    await vi.waitFor(() => expect(proxy.count).toBeGreaterThan(1), { timeout: 10_000 });
    redis.resume();
    expect(await append).toMatchObject([
      { seq: 2, isDuplicate: false },
      { seq: 3, isDuplicate: false },
    ]);
    await store.append([draft('after')]);
    expect((await readAll(store)).map(({ seq, body }) => [seq, body])).toEqual([
      [1, 'before'],
      [2, 'one'],
      [3, 'two'],
      [4, 'after'],
    ]);
  });
});

describe('a Redis that does not answer', () => {
  test('is said to be lost and found; readers are refused at once, what is said waits', async () => {
    const redis = await redisForTest();
    const store = await redisStore(redis.url, { timeoutMs: SHORT_MS });
    await store.open(ROOM);
    const told: [boolean, string][] = [];
    store.onAvailability((...change) => told.push(change));
    redis.pause();
    const append = store.append([draft('one')]);
    await expect(store.read(ROOM, { limit: 1 })).rejects.toMatchObject(UNAVAILABLE);
    await expect(store.search(ROOM, { words: ['x'], limit: 1 })).rejects.toMatchObject(UNAVAILABLE);
    await expect(store.bounds(ROOM)).rejects.toMatchObject(UNAVAILABLE);
    await expect(store.open('other' as NameKey)).rejects.toMatchObject(UNAVAILABLE);
    await expect(store.get('account', 'alice')).rejects.toMatchObject(UNAVAILABLE);
    await expect(store.put('account', 'alice', 1)).rejects.toMatchObject(UNAVAILABLE);
    expect(store.isAvailable).toBe(false);
    redis.resume();
    expect(await append).toMatchObject([{ seq: 1, isDuplicate: false }]);
    await vi.waitFor(() => expect(store.isAvailable).toBe(true));
    expect(told.map(([isAvailable]) => isAvailable)).toEqual([false, true]);
    expect(await readAll(store)).toHaveLength(1);
  });

  test('keeps nobody waiting who closes the store', async () => {
    const redis = await redisForTest();
    const store = await redisStore(redis.url, { timeoutMs: SHORT_MS });
    await store.open(ROOM);
    redis.pause();
    const appends = [store.append([draft('one')]), store.append([draft('two')])];
    const settled = Promise.allSettled(appends);
    await lost(store);
    await store.close();
    for (const each of await settled) expect(each).toMatchObject({ status: 'rejected', reason: UNAVAILABLE });
  });

  test('is not waited for by more than memory allows', async () => {
    const redis = await redisForTest();
    const store = await redisStore(redis.url, { timeoutMs: SHORT_MS });
    await store.open(ROOM);
    redis.pause();
    const body = 'x'.repeat(65_536);
    const drafts = Array.from({ length: 512 }, () => draft(body));
    const waiting = [store.append(drafts), store.append(drafts)];
    await expect(store.append([draft(body)])).rejects.toMatchObject(UNAVAILABLE);
    const settled = Promise.allSettled(waiting);
    await store.close();
    expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });
});

describe('a Redis that refuses to write', () => {
  test.each([
    ['its memory is full', ['maxmemory', '1mb'], ['maxmemory', '0'], /^OOM/],
    ['it has too few replicas', ['min-replicas-to-write', '1'], ['min-replicas-to-write', '0'], /^NOREPLICAS/],
  ] as const)('because %s gets what was said when it takes it', async (_what, worse, better, reason) => {
    const redis = await redisForTest();
    const store = await redisStore(redis.url);
    await store.open(ROOM);
    const told: [boolean, string][] = [];
    store.onAvailability((...change) => told.push(change));
    await redis.admin.config('SET', ...worse);
    const append = store.append([draft('one')]);
    await vi.waitFor(() => expect(told).toEqual([[false, expect.stringMatching(reason)]]), 10_000);
    await expect(store.put('account', 'alice', 1)).rejects.toMatchObject(UNAVAILABLE);
    await redis.admin.config('SET', ...better);
    expect(await append).toMatchObject([{ seq: 1, isDuplicate: false }]);
    expect(await readAll(store)).toHaveLength(1);
  });
});

describe('a Redis that is killed', () => {
  test('and comes back with its data has all that was acknowledged, once and in order', async () => {
    const redis = await redisForTest({ isPersistent: true });
    const store = await redisStore(redis.url, { keepMessages });
    await store.open(ROOM);
    const load = startLoad(store);
    for (let round = 0; round < 3; round += 1) {
      await load.more(200);
      await redis.kill();
      await redis.start();
    }
    await load.more(200);
    await load.stop();
    expectTold(await readAll(store), load.told);
  });

  test('and comes back empty gets its open rooms back: no seq is used twice, and the gap shows', async () => {
    const redis = await redisForTest();
    const store = await redisStore(redis.url, { keepMessages });
    const before = await store.open(ROOM);
    const load = startLoad(store);
    await load.more(200);
    await redis.kill();
    await redis.start({ withData: false });
    await load.more(200);
    await load.stop();
    const seqs = load.told.map(({ seq }) => seq).sort((a, b) => a - b);
    expect(seqs).toEqual(seqs.map((_, i) => i + 1));
    const after = await store.bounds(ROOM);
    expect(after).toMatchObject({ incarnation: before.incarnation, last: seqs.length });
    // The first 200 are gone with Redis, and nothing else stands in their place.
    expect(after?.first).toBeGreaterThan(200);
    const kept = await readAll(store);
    const newest = inOrder(load.told).slice(-kept.length);
    expect(kept.filter((each, i) => !isSame(each, newest[i]))).toEqual([]);
  });

  test('and comes back empty gets rooms back in which nobody says anything', async () => {
    const redis = await redisForTest();
    const store = await redisStore(redis.url);
    const before = await store.open(ROOM);
    await store.append([draft('one'), draft('two')]);
    await store.retain(ROOM, true);
    await redis.kill();
    await redis.start({ withData: false });
    await vi.waitFor(async () => expect(await store.bounds(ROOM)).toEqual({ ...before, first: 3, last: 2 }), 10_000);
    expect(await redis.admin.keys('*')).toHaveLength(1);
    expect(await redis.admin.ttl((await redis.admin.keys('*'))[0] ?? '')).toBe(-1);
  });
});

/** Resolves when the store has noticed. */
async function lost(store: { readonly isAvailable: boolean }): Promise<void> {
  await vi.waitFor(() => expect(store.isAvailable).toBe(false), { timeout: 10_000 });
}
