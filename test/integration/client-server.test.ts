import { describe, expect, test } from 'vitest';
import { type Client, type ClientEvent, connect } from '../../lib/client/client.ts';
import type { Identity } from '../../lib/wire/crypto/identity.ts';
import { newIdentity } from '../helpers/peer.ts';
import { startServer, type TestServer } from '../helpers/server.ts';
import { onTestFinished } from 'vitest';

interface Watched {
  readonly client: Client;
  readonly events: ClientEvent[];
  bodies(): string[];
  until(qualifies: (events: readonly ClientEvent[]) => boolean): Promise<void>;
}

const QUICK = { firstDelayMs: 20, maxDelayMs: 50, maxAttempts: Infinity };

async function enter(server: Pick<TestServer, 'port' | 'fingerprint'>, user: string, identity?: Identity): Promise<Watched> {
  const events: ClientEvent[] = [];
  const wakes = new Set<() => void>();
  const client = await connect({
    server: `bcast://127.0.0.1:${server.port}?fp=${server.fingerprint}`,
    user,
    identity: identity ?? newIdentity(),
    reconnect: QUICK,
    onEvent: (event) => {
      events.push(event);
      for (const wake of wakes) wake();
    },
  });
  onTestFinished(() => client.close());
  const until = (qualifies: (events: readonly ClientEvent[]) => boolean): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!qualifies(events)) return;
        wakes.delete(look);
        resolve();
      };
      wakes.add(look);
      look();
    });
  const bodies = (): string[] => events.flatMap((event) => (event.type === 'message' ? [event.body] : []));
  return { client, events, bodies, until };
}

describe('a client and a server', () => {
  test('talk in a room; everybody sees every message once and in order', async () => {
    const server = await startServer({ messageBurst: 1_000_000, byteBurst: 1e9 });
    const alice = await enter(server, 'alice');
    const bob = await enter(server, 'bob');
    await alice.client.join('lobby');
    await bob.client.join('lobby');
    const said = Array.from({ length: 1_000 }, (_, i) => i);
    await Promise.all(said.flatMap((i) => [alice.client.say('lobby', `a${i}`), bob.client.say('lobby', `b${i}`)]));
    await alice.until(() => alice.bodies().length === 2_000);
    await bob.until(() => bob.bodies().length === 2_000);
    expect(alice.bodies()).toEqual(bob.bodies());
    expect(alice.bodies().filter((body) => body.startsWith('a'))).toEqual(said.map((i) => `a${i}`));
    expect(alice.bodies().filter((body) => body.startsWith('b'))).toEqual(said.map((i) => `b${i}`));
  });

  test('carry private messages to one person only', async () => {
    const server = await startServer();
    const [alice, bob, eve] = await Promise.all(['alice', 'bob', 'eve'].map((name) => enter(server, name)));
    await alice?.client.tell('bob', 'psst');
    await bob?.until((events) => events.some((event) => event.type === 'private' && event.body === 'psst'));
    await eve?.client.rooms();
    expect(eve?.events.filter(({ type }) => type === 'private')).toEqual([]);
  });

  test('slow a fast sender down without losing, doubling or reordering', async () => {
    const server = await startServer({ messagesPerSecond: 2_000, messageBurst: 100 });
    const alice = await enter(server, 'alice');
    const bob = await enter(server, 'bob');
    await alice.client.join('lobby');
    await bob.client.join('lobby');
    const said = Array.from({ length: 1_000 }, (_, i) => `${i}`);
    await Promise.all(said.map((body) => alice.client.say('lobby', body)));
    await bob.until(() => bob.bodies().length >= 1_000);
    expect(bob.bodies()).toEqual(said);
    expect(alice.events.some(({ type }) => type === 'slowDown')).toBe(true);
  });

  test('come back after a restart: what was not acknowledged is said, and the room is known to have started over', async () => {
    const server = await startServer();
    const alice = await enter(server, 'alice');
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
    const alice = await enter(server, 'alice');
    await server.stop();
    await startServer({ port: server.port });
    await alice.until((events) => events.some((event) => event.type === 'status' && event.status.state === 'closed'));
    expect(alice.client.status).toMatchObject({ state: 'closed', error: { code: 'SERVER_CHANGED' } });
  });

  test('tells the backlog asked for, and only that', async () => {
    const server = await startServer();
    const alice = await enter(server, 'alice');
    await alice.client.join('lobby');
    for (let i = 1; i <= 10; i += 1) await alice.client.say('lobby', `${i}`);
    const bob = await enter(server, 'bob');
    await bob.client.join('lobby', { backlog: { last: 3 } });
    expect(bob.bodies()).toEqual(['8', '9', '10']);
    const carol = await enter(server, 'carol');
    await carol.client.join('lobby', { backlog: { afterSeq: 6 } });
    expect(carol.bodies()).toEqual(['7', '8', '9', '10']);
    const dave = await enter(server, 'dave');
    await dave.client.join('lobby', { backlog: { sinceMs: 0 } });
    expect(dave.bodies()).toHaveLength(10);
  });
});
