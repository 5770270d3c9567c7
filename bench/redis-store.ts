/**
 * What keeping messages in Redis costs: `node bench/redis-store.ts [SECONDS]`. Starts a Redis of its own and says what it
 * measured as a table: acknowledged messages a second, the time until one is acknowledged, and per message the CPU of this
 * process, the CPU of Redis and the calls of the script.
 */
import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { systemClock } from '../lib/clock.ts';
import { parseRedisUrl, type RedisAddress } from '../lib/config/redis-url.ts';
import { createLogger } from '../lib/log.ts';
import type { NameKey, UserName } from '../lib/protocol/names.ts';
import { openRedisNode } from '../lib/server/redis/node.ts';
import { SCRIPTS } from '../lib/server/store/redis/scripts.ts';
import { createRedisStore, type RedisStore } from '../lib/server/store/redis/store.ts';
import { startRedis } from '../test/helpers/redis-server.ts';

const BODY = 'x'.repeat(128);
const hex = () => randomBytes(8).toString('hex');

interface Row {
  readonly what: string;
  readonly [column: string]: string | number;
}

/** Loops of `work`, each of which begins again when it is done, for a while; then the figures of all of it. */
async function measure(
  what: string,
  admin: Redis,
  { seconds, loops, work }: { seconds: number; loops: number; work: (loop: number) => Promise<number> },
): Promise<Row> {
  await admin.config('RESETSTAT');
  const redisBefore = await redisCpuUs(admin);
  const cpuBefore = process.cpuUsage();
  const startMs = performance.now();
  const waits: number[] = [];
  let count = 0;
  const run = async (loop: number): Promise<void> => {
    while (performance.now() - startMs < seconds * 1_000) {
      const sinceMs = performance.now();
      const done = await work(loop);
      count += done;
      waits.push(performance.now() - sinceMs);
    }
  };
  await Promise.all(Array.from({ length: loops }, (_, loop) => run(loop)));
  const elapsedS = (performance.now() - startMs) / 1_000;
  const { user, system } = process.cpuUsage(cpuBefore);
  const redisUs = (await redisCpuUs(admin)) - redisBefore;
  const calls = Number(/cmdstat_evalsha:calls=(\d+)/.exec(await admin.info('commandstats'))?.[1] ?? 0);
  waits.sort((a, b) => a - b);
  const at = (share: number) => (waits[Math.floor(waits.length * share)] ?? 0).toFixed(2);
  return {
    what,
    'per second': Math.round(count / elapsedS),
    'p50 ms': at(0.5),
    'p99 ms': at(0.99),
    'node us each': ((user + system) / count).toFixed(1),
    'redis us each': (redisUs / count).toFixed(1),
    'calls each': (calls / count).toFixed(3),
  };
}

async function redisCpuUs(admin: Redis): Promise<number> {
  const info = await admin.info('cpu');
  const seconds = (name: string) => Number(new RegExp(`^${name}:(.*)$`, 'm').exec(info)?.[1]);
  return (seconds('used_cpu_user') + seconds('used_cpu_sys')) * 1e6;
}

function drafts(room: NameKey, count: number) {
  return Array.from({ length: count }, () => ({
    room,
    id: hex() + hex(),
    isAgain: false,
    from: 'alice' as UserName,
    fp: `SHA256:${'A'.repeat(43)}`,
    kind: 'text' as const,
    body: BODY,
    ts: Date.now(),
  }));
}

async function publishing(store: RedisStore, admin: Redis, seconds: number): Promise<Row[]> {
  const rooms = Array.from({ length: 50 }, (_, i) => `room-${i}` as NameKey);
  for (const room of rooms) await store.open(room);
  const say = async (room: NameKey, count: number): Promise<number> => (await store.append(drafts(room, count))).length;
  const first = rooms[0] as NameKey;
  const one = { seconds, loops: 1, work: () => say(first, 1) };
  await measure('', admin, { ...one, seconds: 1 });
  return [
    await measure('1 publisher', admin, one),
    await measure('50 publishers, one room', admin, { ...one, loops: 50 }),
    await measure('50 publishers, 50 rooms', admin, { seconds, loops: 50, work: (i) => say(rooms[i] as NameKey, 1) }),
    await measure('rounds of 200, one room', admin, { ...one, work: () => say(first, 200) }),
  ];
}

async function reading(store: RedisStore, admin: Redis, seconds: number): Promise<Row[]> {
  const room = 'room-0' as NameKey;
  const page = { seconds, loops: 1, work: async () => ((await store.read(room, { limit: 200 })).length > 0 ? 1 : 0) };
  const search = async (word: string): Promise<number> => {
    await store.search(room, { words: [word], limit: 50 });
    return 1;
  };
  return [
    await measure('page of 200', admin, page),
    await measure('search, 50 found at once', admin, { ...page, work: () => search('xxx') }),
    await measure('search, nothing in 5,000', admin, { ...page, work: () => search('nothing') }),
  ];
}

async function keeping(store: RedisStore, admin: Redis): Promise<Row[]> {
  const count = 20_000;
  const used = async () => Number(/^used_memory:(\d+)/m.exec(await admin.info('memory'))?.[1]);
  const before = await used();
  const rooms = Array.from({ length: count }, (_, i) => `idle-${i}` as NameKey);
  for (let i = 0; i < count; i += 100) await Promise.all(rooms.slice(i, i + 100).map((room) => store.open(room)));
  const opened = await used();
  for (let i = 0; i < count; i += 100) {
    await Promise.all(rooms.slice(i, i + 100).map((room) => store.append(drafts(room, 1))));
  }
  const said = await used();
  const cpuBefore = process.cpuUsage();
  const redisBefore = await redisCpuUs(admin);
  await store.checkAll();
  const { user, system } = process.cpuUsage(cpuBefore);
  const redisUs = (await redisCpuUs(admin)) - redisBefore;
  return [
    {
      what: `${count} rooms`,
      'bytes an open room': Math.round((opened - before) / count),
      'bytes with one message': Math.round((said - before) / count),
      'node us a renewal': ((user + system) / count).toFixed(1),
      'redis us a renewal': (redisUs / count).toFixed(1),
    },
  ];
}

async function run(seconds: number): Promise<void> {
  for (const appendfsync of ['none', 'everysec', 'always']) {
    const config = appendfsync === 'none' ? {} : { appendonly: 'yes', appendfsync };
    const redis = await startRedis({ config });
    const log = createLogger('warn', process.stderr);
    const options = { redisPasswordFile: undefined, redisCa: undefined, redisTimeout: 10_000, redisPrefix: 'bcast' };
    const redisUrl = parseRedisUrl(redis.url) as RedisAddress;
    const context = { clock: systemClock, log, nodeId: hex(), scripts: SCRIPTS };
    const node = await openRedisNode({ ...options, redisUrl }, context);
    const keep = { keepMessages: 10_000, keepMs: 1e12, leaseMs: 600_000, recoveryMs: 0, wait: 0, waitTimeoutMs: 1_000 };
    const store = createRedisStore({ node, clock: systemClock, newIncarnation: hex, ...keep });
    console.log(`\nappendonly: ${appendfsync}`);
    console.table(await publishing(store, redis.admin, seconds));
    if (appendfsync === 'none') {
      console.table(await reading(store, redis.admin, seconds));
      console.table(await keeping(store, redis.admin));
    }
    await store.close();
    await redis.stop();
  }
}

await run(Number(process.argv[2] ?? 3));
