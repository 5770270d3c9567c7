import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { parseRedisUrl, type RedisAddress } from '../../lib/config/redis-url.ts';
import { enterClient } from '../helpers/live-client.ts';
import { startRedis, type TestRedis } from '../helpers/redis-server.ts';
import { startServer, type TestServer, type TestServerOptions } from '../helpers/server.ts';

let redis: TestRedis;

beforeAll(async () => {
  redis = await startRedis();
});

afterAll(() => redis.stop());

/** Servers with one key on one Redis; keys of their own unless told otherwise. */
async function startNodes(count: number, options: TestServerOptions = {}): Promise<TestServer[]> {
  const dataDir = await mkdtemp(join(tmpdir(), 'bcast-network-'));
  onTestFinished(() => rm(dataDir, { recursive: true }));
  const redisUrl = parseRedisUrl(redis.url) as RedisAddress;
  const redisPrefix = `t${Math.random().toString(36).slice(2)}`;
  const nodes: TestServer[] = [];
  for (let i = 0; i < count; i += 1) nodes.push(await startServer({ dataDir, redisUrl, redisPrefix, ...options }));
  return nodes;
}

test('are one network: messages, names, members, private messages', async () => {
  const [one, two] = (await startNodes(2)) as [TestServer, TestServer];
  const alice = await enterClient(one, 'alice');
  const bob = await enterClient(two, 'bob');
  await alice.client.join('den', { watch: true });
  await bob.client.join('den', { watch: true });
  await expect(enterClient(two, 'alice')).rejects.toMatchObject({ code: 'NAME_IN_USE' });
  for (let i = 0; i < 20; i += 1) {
    await alice.client.say('den', `a${i}`);
    await bob.client.say('den', `b${i}`);
  }
  const said = Array.from({ length: 20 }, (_, i) => [`a${i}`, `b${i}`]).flat();
  for (const one of [alice, bob]) {
    await one.until(() => one.heard >= said.length);
    expect(one.bodies()).toEqual(said);
  }
  await vi.waitFor(async () =>
    expect((await alice.client.names('den')).map(({ name }) => name).sort()).toEqual(['alice', 'bob']),
  );
  expect(await alice.client.rooms()).toMatchObject([{ room: 'den', members: 2 }]);
  await alice.client.tell('bob', 'psst');
  await bob.until((events) => events.some((event) => event.type === 'private'));
  await bob.client.close();
  await vi.waitFor(async () => expect((await alice.client.names('den')).map(({ name }) => name)).toEqual(['alice']));
});
