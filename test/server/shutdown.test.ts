import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { ERRORS } from '../../lib/errors.ts';
import { connectTcp } from '../../lib/wire/transport/tcp.ts';
import { ManualClock } from '../helpers/manual-clock.ts';
import { enterPeer, newMessageId, openPeer } from '../helpers/peer.ts';
import { startServer } from '../helpers/server.ts';

const SHUTDOWN = { type: 'error', req: null, code: ERRORS.SERVER_SHUTDOWN.wire, retryAfterMs: 1_000 };

describe('a server that is stopped', () => {
  test('tells everybody, closes every connection and accepts no other', async () => {
    const { port, stop, log } = await startServer();
    const peers = [await enterPeer('alice', { port }), await enterPeer('bob', { port }), await openPeer({ port })];
    await peers[0]?.join('den', true);
    await stop();
    await Promise.all(peers.map(({ closed }) => closed));
    for (const peer of peers) expect(peer.events.at(-1)).toMatchObject(SHUTDOWN);
    await expect(connectTcp({ host: '127.0.0.1', port })).rejects.toMatchObject({ code: 'CONNECT_FAILED' });
    expect(log.text.trim().split('\n').at(-1)).toContain('"msg":"stopped"');
  });

  test('closes who has not even shaken hands', async () => {
    const { port, stop } = await startServer();
    const silent = connect({ host: '127.0.0.1', port });
    await new Promise((resolve) => silent.once('connect', resolve));
    const closed = new Promise((resolve) => silent.once('close', resolve));
    silent.resume();
    await stop();
    await closed;
  });

  test('answers every message it has taken before it goes', async () => {
    const { port, stop } = await startServer();
    const alice = await enterPeer('alice', { port });
    await alice.join('den');
    const room = 'den' as never;
    const reqs = Array.from({ length: 500 }, (_, i) =>
      alice.send({ type: 'say', id: newMessageId(), again: false, room, kind: 'text', body: `body ${i}` }),
    );
    await alice.next((event) => event.type === 'ok' && event.req === reqs[0]);
    await stop();
    await alice.closed;
    const answered = alice.seen('ok').filter(({ seq }) => seq !== null);
    expect(answered.length).toBeGreaterThan(0);
    expect(answered.map(({ req }) => req)).toEqual(reqs.slice(0, answered.length));
    expect(alice.events.at(-1)).toMatchObject(SHUTDOWN);
  });

  test('does not wait for refused connections that linger', async () => {
    const clock = new ManualClock();
    const { port, stop } = await startServer({ maxConnections: 1, clock });
    const first = await openPeer({ port });
    const refused = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    await new Promise((resolve) => refused.once('data', resolve));
    const stopped = stop();
    await first.closed;
    clock.advance(5_000);
    await stopped;
    refused.destroy();
  });

  test('can be told so twice', async () => {
    const { stop } = await startServer();
    await Promise.all([stop(), stop()]);
  });
});
