import { describe, expect, test } from 'vitest';
import type { ConnectionStatus } from '../../lib/client/client.ts';
import { startCuttingProxy } from '../helpers/cutting-proxy.ts';
import { enterClient } from '../helpers/live-client.ts';
import { startServer } from '../helpers/server.ts';

describe('a client and a server', () => {
  test('talk in a room; everybody sees every message once and in order', async () => {
    const server = await startServer({ messageBurst: 1_000_000, byteBurst: 1e9 });
    const alice = await enterClient(server, 'alice');
    const bob = await enterClient(server, 'bob');
    await alice.client.join('lobby');
    await bob.client.join('lobby');
    const said = Array.from({ length: 1_000 }, (_, i) => i);
    await Promise.all(said.flatMap((i) => [alice.client.say('lobby', `a${i}`), bob.client.say('lobby', `b${i}`)]));
    await alice.until(() => alice.heard === 2_000);
    await bob.until(() => bob.heard === 2_000);
    expect(alice.bodies()).toEqual(bob.bodies());
    expect(alice.bodies().filter((body) => body.startsWith('a'))).toEqual(said.map((i) => `a${i}`));
    expect(alice.bodies().filter((body) => body.startsWith('b'))).toEqual(said.map((i) => `b${i}`));
  });

  test('carry private messages to one person only', async () => {
    const server = await startServer();
    const [alice, bob, eve] = await Promise.all(['alice', 'bob', 'eve'].map((name) => enterClient(server, name)));
    await alice?.client.tell('bob', 'psst');
    await bob?.until((events) => events.some((event) => event.type === 'private' && event.body === 'psst'));
    await eve?.client.rooms();
    expect(eve?.events.filter(({ type }) => type === 'private')).toEqual([]);
  });

  test('slow a fast sender down without losing, doubling or reordering', async () => {
    const server = await startServer({ messagesPerSecond: 2_000, messageBurst: 100 });
    const alice = await enterClient(server, 'alice');
    const bob = await enterClient(server, 'bob');
    await alice.client.join('lobby');
    await bob.client.join('lobby');
    const said = Array.from({ length: 1_000 }, (_, i) => `${i}`);
    await Promise.all(said.map((body) => alice.client.say('lobby', body)));
    await bob.until(() => bob.heard >= 1_000);
    expect(bob.bodies()).toEqual(said);
    expect(alice.events.some(({ type }) => type === 'slowDown')).toBe(true);
  });

  test('come back after a restart: what was not acknowledged is said, and the room is known to have started over', async () => {
    const server = await startServer();
    const alice = await enterClient(server, 'alice');
    await alice.client.join('lobby');
    await alice.client.say('lobby', 'before');
    await server.stop();
    await alice.until((events) => events.some((event) => event.type === 'status' && event.status.state === 'offline'));
    const meanwhile = alice.client.say('lobby', 'meanwhile');
    await startServer({ port: server.port, dataDir: server.dataDir });
    expect(await meanwhile).toMatchObject({ room: 'lobby', seq: 1 });
    expect(alice.events.some(({ type }) => type === 'forgotten')).toBe(true);
    expect(alice.bodies()).toEqual(['before', 'meanwhile']);
  });

  test('a server set up anew at the same place is refused for good', async () => {
    const server = await startServer();
    const alice = await enterClient(server, 'alice');
    await server.stop();
    await startServer({ port: server.port });
    await alice.until((events) => events.some((event) => event.type === 'status' && event.status.state === 'closed'));
    expect(alice.client.status).toMatchObject({ state: 'closed', error: { code: 'SERVER_CHANGED' } });
  });

  test('tells the backlog asked for, and only that', async () => {
    const server = await startServer();
    const alice = await enterClient(server, 'alice');
    await alice.client.join('lobby');
    for (let i = 1; i <= 10; i += 1) await alice.client.say('lobby', `${i}`);
    const bob = await enterClient(server, 'bob');
    await bob.client.join('lobby', { backlog: { last: 3 } });
    expect(bob.bodies()).toEqual(['8', '9', '10']);
    const carol = await enterClient(server, 'carol');
    await carol.client.join('lobby', { backlog: { afterSeq: 6 } });
    expect(carol.bodies()).toEqual(['7', '8', '9', '10']);
    const dave = await enterClient(server, 'dave');
    await dave.client.join('lobby', { backlog: { sinceMs: 0 } });
    expect(dave.bodies()).toHaveLength(10);
  });
});

test('nobody at a port is said at once, in words', async () => {
  const server = await startServer();
  const { port, fingerprint } = server;
  await server.stop();
  await expect(enterClient({ port, fingerprint }, 'alice')).rejects.toMatchObject({
    code: 'CONNECT_FAILED',
    message: `127.0.0.1:${port} could not be reached: nobody listens there.`,
  });
});

test('a client whose old session the server has not missed yet is let back in when it has', async () => {
  const server = await startServer({ maxSessionsPerUser: 1, idleTimeout: 1_000 });
  const proxy = await startCuttingProxy(server.port);
  const alice = await enterClient({ port: proxy.port, fingerprint: server.fingerprint }, 'alice');
  await alice.client.join('lobby');
  proxy.orphan();
  const said = alice.client.say('lobby', 'back');
  await alice.until((events) =>
    events.some((event) => event.type === 'status' && offlineFor(event.status) === 'TOO_MANY_SESSIONS'),
  );
  expect(await said).toMatchObject({ seq: 1 });
});

function offlineFor(status: ConnectionStatus): string | undefined {
  return status.state === 'offline' ? status.error.code : undefined;
}

const COUNT = 10_000;
const PLENTY = { messageBurst: 10_000_000, byteBurst: 1e9, historyMessages: COUNT } as const;
const LINES = Array.from({ length: COUNT }, (_, i) => `line ${i}`);

describe('ten thousand messages', () => {
  test('come out as they went in', async () => {
    const server = await startServer(PLENTY);
    const [alice, bob] = await Promise.all([enterClient(server, 'alice'), enterClient(server, 'bob')]);
    await Promise.all([alice.client.join('lobby'), bob.client.join('lobby')]);
    const receipts = await Promise.all(LINES.map((line) => alice.client.say('lobby', line)));
    expect(receipts.map(({ seq }) => seq)).toEqual(LINES.map((_, i) => i + 1));
    await bob.until(() => bob.heard >= COUNT);
    expect(bob.bodies()).toEqual(LINES);
    expect(alice.bodies()).toEqual(LINES);
  });

  test('come out as they went in though both ends are cut off again and again in the middle of a record', async () => {
    const server = await startServer(PLENTY);
    const [up, down] = [await startCuttingProxy(server.port), await startCuttingProxy(server.port)];
    const { fingerprint } = server;
    const alice = await enterClient({ port: up.port, fingerprint }, 'alice');
    const bob = await enterClient({ port: down.port, fingerprint }, 'bob');
    await Promise.all([alice.client.join('lobby'), bob.client.join('lobby')]);
    for (let i = 0; i < 4; i += 1) {
      up.cutAfter(100_001 + i, 'up');
      up.cutAfter(30_001 + i, 'down');
      down.cutAfter(150_001 + i, 'down');
    }
    await Promise.all(LINES.map((line) => alice.client.say('lobby', line)));
    await bob.until(() => bob.heard >= COUNT);
    expect(up.count).toBeGreaterThanOrEqual(5);
    expect(down.count).toBeGreaterThanOrEqual(4);
    expect(bob.bodies()).toEqual(LINES);
    expect(alice.bodies()).toEqual(LINES);
    for (const { events } of [alice, bob]) expect(events.some(({ type }) => type === 'gap')).toBe(false);
  });

  test('reach a reader who takes one at a time and is slower than the server has patience for', async () => {
    const server = await startServer({ ...PLENTY, sendQueueBytes: 65_536 });
    const alice = await enterClient(server, 'alice');
    const bob = await enterClient(server, 'bob');
    await alice.client.join('lobby');
    await bob.client.join('lobby');
    bob.client.pause();
    const large = 'x'.repeat(2_000);
    await Promise.all(LINES.map((line) => alice.client.say('lobby', line + large)));
    bob.client.resume();
    await bob.until(() => bob.heard >= COUNT);
    expect(bob.bodies()).toEqual(LINES.map((line) => line + large));
    expect(bob.events.some(({ type }) => type === 'lagged')).toBe(true);
  });
});

test('many clients whose server is restarted are all back, each in its rooms, and hear each other', async () => {
  const server = await startServer({ historyMessages: 1_000 });
  const names = Array.from({ length: 20 }, (_, i) => `user${i}`);
  const all = await Promise.all(names.map((name) => enterClient(server, name)));
  await Promise.all(all.map(({ client }) => client.join('lobby')));
  await server.stop();
  const { port, dataDir } = server;
  const said = all.map(({ client }) => client.say('lobby', `back ${client.name}`));
  await startServer({ port, dataDir, historyMessages: 1_000 });
  await Promise.all(said);
  const expected = names.map((name) => `back ${name}`).toSorted();
  for (const { until, bodies } of all) {
    await until(() => bodies().length >= names.length);
    expect(bodies().toSorted()).toEqual(expected);
  }
});
