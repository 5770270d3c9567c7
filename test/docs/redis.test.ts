import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { SERVER_OPTIONS } from '../../lib/config/options.ts';
import { type NameKey, nameKey, requireUserName } from '../../lib/protocol/names.ts';
import type { BackplaneHandler, Holder, RecordKind } from '../../lib/server/hub/ports.ts';
import type { RedisConnection } from '../../lib/server/redis/connection.ts';
import { RedisFailure } from '../../lib/server/redis/failure.ts';
import { APPEND } from '../../lib/server/store/redis/scripts.ts';
import { redisForTest } from '../helpers/redis.ts';
import { redisClusterForTest } from '../helpers/redis-cluster.ts';
import { redisNetwork } from '../server/backplane/redis-network.ts';
import { draft, ROOM } from '../server/store/redis-load.ts';
import { connectForTest, redisStore } from '../server/store/redis-store.ts';
import { tableRows } from './tables.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/REDIS.md'), 'utf8');
const KINDS: readonly RecordKind[] = ['account', 'identity', 'ban', 'follow', 'audit', 'setting', 'kept'];
const REGISTERED = 'registered' as NameKey;

/** The rows as what matches their keys. */
const rows = tableRows(page, 'key', 'type').map(([key = '', type, , , ends = '']) => {
  const names = `(?:${[...KINDS, 'room', 'read'].join('|')})`;
  const pattern = key
    .replaceAll('`', '')
    .replace('{KEY}:KIND', `\\{.*\\}:(?:${KINDS.join('|')})`)
    .replace(/\{(ROOM|NAME)\}/, '\\{[^{}]*\\}')
    .replace('KIND', names);
  return { key, type: type?.replace('sorted set', 'zset'), ends, pattern: new RegExp(`^${pattern}$`) };
});

test('every key of a busy store stands in the table of docs/REDIS.md, as what it is and ends as it says', async () => {
  const { url, admin } = await redisForTest();
  const connection = cutOnce(await connectForTest(url));
  const store = await redisStore(url, {
    connection,
    prefix: 'bcast',
    recoveryMs: 1,
    leaseMs: 60_000,
    keepMs: 3_600_000,
  });
  for (const room of [ROOM, REGISTERED]) {
    await store.open(room);
    await store.put('room', room, 1);
    await store.put('read', room, 1);
  }
  await store.retain(REGISTERED, true);
  for (let i = 0; i < 20; i += 1) {
    const drafts = [ROOM, REGISTERED].flatMap((room) => Array.from({ length: 250 }, () => draft('x', { room })));
    await store.append(drafts);
  }
  for (const kind of KINDS) await store.put(kind, 'a}:b/{c', 1);
  await useBackplane(url);
  const keys = await admin.keys('*');
  for (const key of keys) {
    const [row, ...others] = rows.filter(({ pattern }) => pattern.test(key));
    expect([key, row?.type, others]).toEqual([key, await admin.type(key), []]);
    const isRegistered = key.includes(REGISTERED);
    const hasEnd = /^lease; registered/.test(row?.ends ?? '') || /hour| s after/.test(row?.ends ?? '');
    const mustEnd = hasEnd || (row?.ends.startsWith('lease') && !isRegistered);
    expect([key, (await admin.pttl(key)) >= 0]).toEqual([key, mustEnd]);
  }
  expect(rows.filter(({ pattern }) => !keys.some((key) => pattern.test(key)))).toEqual([]);
});

test.each(['one Redis', 'a Cluster'])(
  'the account that is described there can do all that is needed on %s',
  async (what) => {
    const line = /^ACL SETUSER .*$/m.exec(page)?.[0].replace('PASSWORD', 's3cret').split(' ') ?? [];
    const redis = what === 'one Redis' ? await redisForTest() : await redisClusterForTest();
    const servers = 'masters' in redis ? redis.masters : [redis];
    for (const { admin } of servers) await admin.call(line[0] as string, ...line.slice(1));
    const url = redis.url.replace('://', '://bcast:s3cret@');
    const store = await redisStore(url, {
      prefix: 'bcast',
      recoveryMs: 1,
      connection: cutOnce(await connectForTest(url)),
    });
    await vi.waitFor(() => store.open(ROOM));
    await store.put('room', ROOM, 1);
    await store.retain(ROOM, true);
    for (let i = 0; i < 20; i += 1) await store.append(Array.from({ length: 250 }, () => draft('x')));
    expect(await store.search(ROOM, { words: ['x'], limit: 1 })).toMatchObject({ messages: [{ body: 'x' }] });
    expect(await store.list('room', { limit: 1 })).toHaveLength(1);
    expect(await store.list('room', { limit: 1, isDescending: true })).toHaveLength(1);
    expect(await store.remove('room', ROOM)).toBe(true);
    await store.checkAll();
    await store.forget(ROOM);
    await useBackplane(url);
    expect(store.isAvailable).toBe(true);
  },
);

test('every option of Redis stands there with its default', () => {
  const told = tableRows(page, 'option', 'default').map(([option, value]) => [option, value?.replaceAll('`', '')]);
  const table = Object.values(SERVER_OPTIONS).filter(({ name }) => name.startsWith('redis-'));
  expect(told.map(([option]) => option)).toEqual(table.map(({ name }) => `\`${name}\``));
  for (const [i, { kind, fallback }] of table.entries()) {
    if (fallback !== undefined) expect(told[i]?.[1]).toBe((kind.format as (value: unknown) => string)(fallback));
  }
});

/** Everything that a backplane may ask of Redis. */
async function useBackplane(url: string): Promise<void> {
  const network = redisNetwork(url, { prefix: 'bcast' });
  const { backplane } = await network.node();
  const heard = Promise.withResolvers<void>();
  await backplane.start({ ...DEAF, onNews: () => heard.resolve() });
  const name = requireUserName('alice');
  const fp = `SHA256:${'A'.repeat(43)}`;
  const holder: Holder = {
    key: nameKey(name),
    name,
    subject: fp,
    fps: [fp],
    isAdmin: false,
    isRegistered: false,
    away: null,
    sinceMs: 1,
  };
  await backplane.claim(holder, '1', 5);
  await backplane.claim(holder, '2', 5);
  await backplane.release(holder.key, '2');
  await backplane.describe({ ...holder, away: 'tea' });
  expect(await backplane.find(holder.key)).toMatchObject({ away: 'tea', sessions: 1 });
  expect(await backplane.enter(ROOM)).toEqual([]);
  await backplane.setMember(ROOM, holder, true, null);
  const other = await network.node();
  await other.backplane.start(DEAF);
  expect(await other.backplane.enter(ROOM)).toHaveLength(1);
  other.backplane.tellAll({ type: 'network' });
  await heard.promise;
  await other.backplane.leave(ROOM);
  await other.backplane.stop();
}

const DEAF: BackplaneHandler = {
  onMessages: () => undefined,
  onMembers: () => undefined,
  onRoomNews: () => undefined,
  onNews: () => undefined,
  onNodeGone: () => undefined,
  onNameLost: () => undefined,
  onReturned: () => undefined,
  rooms: () => [],
};

/** A connection on which the first batch is cut off after it was stored. */
function cutOnce(real: RedisConnection): RedisConnection {
  let isCut = false;
  return {
    ...real,
    async run(script, keys, args) {
      const reply = await real.run(script, keys, args);
      if (script !== APPEND || isCut) return reply;
      isCut = true;
      throw new RedisFailure('unavailable', 'cut');
    },
  };
}
