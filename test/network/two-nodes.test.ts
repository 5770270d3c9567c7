import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { loadOptions } from '../../lib/config/load.ts';
import { SERVER_OPTIONS, type ServerOptions } from '../../lib/config/options.ts';
import { parseRedisUrl, type RedisAddress } from '../../lib/config/redis-url.ts';
import { createLogger } from '../../lib/log.ts';
import { removeUser, setUserRole } from '../../lib/server/admin/people.ts';
import { withAccounts } from '../../lib/server/offline.ts';
import { Collector } from '../helpers/collector.ts';
import { enterClient } from '../helpers/live-client.ts';
import { startRedis, type TestRedis } from '../helpers/redis-server.ts';
import { startServer, type TestServer } from '../helpers/server.ts';
import { hex } from '../server/store/redis-store.ts';

let redis: TestRedis;

beforeAll(async () => {
  redis = await startRedis();
});

afterAll(() => redis.stop());

let shared: Pick<ServerOptions, 'redisUrl' | 'redisPrefix'>;

/** Servers with one key on one Redis, among keys of their own. */
async function startNodes(count: number): Promise<TestServer[]> {
  const redisPrefix = `t${hex()}`;
  shared = { redisUrl: parseRedisUrl(redis.url) as RedisAddress, redisPrefix };
  // Otherwise they would wait for others to put back what this Redis might have lost.
  await redis.admin.set(`${redisPrefix}:epoch`, 1);
  const dataDir = await newDataDir();
  const nodes: TestServer[] = [];
  for (let i = 0; i < count; i += 1) nodes.push(await startServer({ ...shared, dataDir }));
  return nodes;
}

async function newDataDir(): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), 'bcast-network-'));
  onTestFinished(() => rm(dataDir, { recursive: true }));
  return dataDir;
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

test('follow what is done to accounts from a machine where no server runs', async () => {
  const [one] = (await startNodes(1)) as [TestServer];
  const alice = await enterClient(one, 'alice');
  await alice.client.register();
  const none = { flags: {}, env: {}, dotenv: {}, file: {} };
  const { values } = loadOptions<ServerOptions>(SERVER_OPTIONS, none);
  const config = { ...values, ...shared, dataDir: one.dataDir, serverName: 'bcast test' };
  const log = createLogger('debug', new Collector().stream);
  await withAccounts(config, log, (desk) => setUserRole(desk, { name: 'alice', role: 'admin' }));
  await vi.waitFor(async () => expect(await alice.client.whois('alice')).toMatchObject({ role: 'admin' }));
  await withAccounts(config, log, (desk) => removeUser(desk, { name: 'alice' }));
  await alice.until(() => alice.client.status.state === 'closed');
  expect(alice.client.status).toMatchObject({ error: { code: 'KICKED' } });
});

test('take no server with another key into their network, and say what to do', async () => {
  const [one] = (await startNodes(1)) as [TestServer];
  const again = startServer({ ...shared, dataDir: await newDataDir() });
  await expect(again).rejects.toMatchObject({ code: 'CONFIG', message: expect.stringContaining('server_key') });
  expect(one.log.text).not.toContain('shutting down');
});

test('drop what others publish on their channels, and log that it came but not what it was', async () => {
  const [one] = (await startNodes(1)) as [TestServer];
  const alice = await enterClient(one, 'alice');
  await alice.client.join('den');
  for (const channel of [`${shared.redisPrefix}:{den}`, `${shared.redisPrefix}:network`]) {
    for (const junk of [
      '',
      'nonsense-planted',
      '!nonsense-planted',
      `!${'a'.repeat(16)} \u0000`,
      '\u0000\n\n',
      'f'.repeat(100_000),
    ]) {
      await redis.admin.call('SPUBLISH', channel, junk);
    }
  }
  await vi.waitFor(() => expect(one.log.text).toContain('not from bcast'));
  await alice.client.say('den', 'still here');
  expect(one.log.text).not.toContain('planted');
});
