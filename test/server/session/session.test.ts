import { describe, expect, test } from 'vitest';
import { BcastError, ERRORS } from '../../../lib/errors.ts';
import type { RoomName, UserName } from '../../../lib/protocol/names.ts';
import type { Peer } from '../../helpers/peer.ts';
import { SessionHarness } from './harness.ts';

const DEN = 'den' as RoomName;
const hello = (name: string) => ({ type: 'hello', name: name as UserName, agent: 'test', password: null }) as const;
const errorsOf = (peer: Peer) => peer.seen('error').map(({ req, code }) => [req, code]);

/** A well-formed frame around any bytes, as the record stream carries messages. */
function framed(hex: string): Uint8Array {
  const payload = Buffer.from(hex.replaceAll(' ', ''), 'hex');
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32BE(payload.length);
  return Buffer.concat([prefix, payload]);
}

describe('before the hello', () => {
  test('every other request is refused and the connection closed', async () => {
    const harness = new SessionHarness();
    const { peer } = await harness.open();
    const req = peer.send({ type: 'join', room: DEN, watch: false, code: null, create: null });
    await peer.closed;
    expect(errorsOf(peer)).toEqual([
      [req, ERRORS.NOT_READY.wire],
      [null, ERRORS.NOT_READY.wire],
    ]);
    expect([harness.sessions.size, harness.hub.users.size, harness.hub.rooms.size]).toEqual([0, 0, 0]);
  });

  test('and in the same packet as it, requests are answered in order', async () => {
    const harness = new SessionHarness();
    const { peer } = await harness.open();
    const reqs = [
      peer.send(hello('alice')),
      peer.send({ type: 'join', room: DEN, watch: false, code: null, create: null }),
      peer.send({ type: 'ping' }),
    ];
    await peer.next((event) => event.type === 'ok' && event.req === reqs[2]);
    expect(peer.seen('ok').map(({ req }) => req)).toEqual(reqs);
  });

  test('a refused hello closes, and what came with it is not done', async () => {
    const harness = new SessionHarness();
    await harness.enterPeer('alice');
    const { peer } = await harness.open();
    const req = peer.send(hello('ALICE'));
    peer.send({ type: 'join', room: DEN, watch: false, code: null, create: null });
    await peer.closed;
    expect(errorsOf(peer)).toEqual([
      [req, ERRORS.NAME_IN_USE.wire],
      [null, ERRORS.NAME_IN_USE.wire],
    ]);
    expect(harness.hub.rooms.size).toBe(0);
    expect(harness.log.text).not.toContain('"msg":"left"');
  });

  test('a name that is none closes', async () => {
    const harness = new SessionHarness();
    const { peer } = await harness.open();
    peer.send(hello('a b'));
    await peer.closed;
    expect(errorsOf(peer)).toEqual([
      [1, ERRORS.NAME_INVALID.wire],
      [null, ERRORS.NAME_INVALID.wire],
    ]);
  });
});

describe('the status of the server', () => {
  test('is told once to somebody without a name, who may still say hello', async () => {
    const harness = new SessionHarness();
    await (await harness.enterPeer('alice')).peer.join('den');
    harness.clock.advance(1_500);
    const { peer } = await harness.open();
    expect(await peer.ask({ type: 'status' })).toMatchObject({ type: 'ok' });
    expect(peer.seen('status')).toEqual([
      { type: 'status', req: 1, server: 'bcast test', uptimeMs: 1_500, users: 1, rooms: 1 },
    ]);
    expect(await peer.ask(hello('bob'))).toMatchObject({ type: 'ok' });
    expect(await peer.ask({ type: 'status' })).toMatchObject({ type: 'ok' });
    expect(peer.seen('status')[1]).toMatchObject({ users: 2, rooms: 1 });
  });

  test('asked for twice by somebody without a name ends the connection', async () => {
    const harness = new SessionHarness();
    const { peer } = await harness.open();
    peer.send({ type: 'status' });
    const second = peer.send({ type: 'status' });
    await peer.closed;
    expect(peer.seen('status')).toHaveLength(1);
    expect(errorsOf(peer)).toEqual([
      [second, ERRORS.NOT_READY.wire],
      [null, ERRORS.NOT_READY.wire],
    ]);
  });

  test('gives nobody more time to say hello', async () => {
    const harness = new SessionHarness({ handshakeTimeout: 10_000 });
    const { peer } = await harness.open();
    await peer.ask({ type: 'status' });
    harness.clock.advance(11_000);
    await peer.closed;
    expect(peer.seen('error')).toMatchObject([{ req: null, code: ERRORS.HANDSHAKE_TIMEOUT.wire }]);
  });
});

describe('a request that cannot be read', () => {
  test('closes, naming the request if its beginning can be read', async () => {
    const harness = new SessionHarness();
    const { peer } = await harness.enterPeer('alice');
    peer.channel.sealMessages([framed('82 11 f6')]);
    await peer.closed;
    expect(errorsOf(peer)).toEqual([[null, ERRORS.BAD_MESSAGE.wire]]);
    const other = await harness.enterPeer('bob');
    other.peer.channel.sealMessages([framed('83 11 18 2a 00')]);
    await other.peer.closed;
    expect(errorsOf(other.peer)).toEqual([
      [42, ERRORS.BAD_MESSAGE.wire],
      [null, ERRORS.BAD_MESSAGE.wire],
    ]);
    expect(harness.hub.users.size).toBe(0);
  });

  test('for a name in it is refused, and the session goes on', async () => {
    const harness = new SessionHarness();
    const { peer } = await harness.enterPeer('alice');
    expect(await peer.ask({ type: 'whois', name: 'a b' as UserName })).toMatchObject({
      code: ERRORS.NAME_INVALID.wire,
    });
    expect(await peer.ask({ type: 'leave', room: 'a b' as RoomName })).toMatchObject({
      code: ERRORS.ROOM_NAME_INVALID.wire,
    });
    expect(await peer.ask({ type: 'ping' })).toMatchObject({ type: 'ok' });
  });

  test('for a name in it is refused only so often', async () => {
    const harness = new SessionHarness({ messageBurst: 100 });
    const { peer } = await harness.enterPeer('alice');
    for (let i = 0; i < 200; i += 1) peer.send({ type: 'whois', name: 'a b' as UserName });
    await peer.closed;
    expect(peer.seen('error').filter(({ req }) => req !== null)).toHaveLength(101);
  });

  test('takes the rest of its packet with it', async () => {
    const harness = new SessionHarness();
    const { peer } = await harness.enterPeer('alice');
    await peer.join('den');
    const { peer: bob } = await harness.enterPeer('bob');
    await bob.join('den');
    peer.channel.sealMessages([framed('ff'), framed(`8714 02 50${'00'.repeat(16)} f4 6364656e 00 6161`)]);
    await peer.closed;
    await bob.settle();
    expect(bob.seen('message')).toEqual([]);
  });
});

describe('deadlines', () => {
  test('close whoever does not finish the handshake', async () => {
    const harness = new SessionHarness({ handshakeTimeout: 10_000 });
    const { transport } = harness.plug();
    const closed = Promise.withResolvers<void>();
    transport.start({ onData: () => undefined, onDrain: () => undefined, onClose: () => closed.resolve() });
    harness.clock.advance(10_000);
    expect(harness.sessions.size).toBe(1);
    harness.clock.advance(2_500);
    await closed.promise;
    expect(harness.sessions.size).toBe(0);
    expect(harness.log.text).toContain('HANDSHAKE_TIMEOUT');
  });

  test('close whoever says no hello, with the reason', async () => {
    const harness = new SessionHarness({ handshakeTimeout: 10_000 });
    const { peer } = await harness.open();
    harness.clock.advance(12_500);
    await peer.closed;
    expect(errorsOf(peer)).toEqual([[null, ERRORS.HANDSHAKE_TIMEOUT.wire]]);
  });

  test('leave who has said hello alone', async () => {
    const harness = new SessionHarness({ handshakeTimeout: 10_000 });
    const { peer } = await harness.enterPeer('alice');
    harness.clock.advance(60_000);
    expect(await peer.ask({ type: 'ping' })).toMatchObject({ type: 'ok' });
  });

  test('close whoever says nothing for too long, and nobody who pings', async () => {
    const harness = new SessionHarness({ idleTimeout: 90_000 });
    const { peer: alice } = await harness.enterPeer('alice');
    const { peer: bob } = await harness.enterPeer('bob');
    for (let i = 0; i < 31; i += 1) {
      harness.clock.advance(3_000);
      await bob.settle();
    }
    await alice.closed;
    expect(errorsOf(alice)).toEqual([[null, ERRORS.IDLE_TIMEOUT.wire]]);
    expect(harness.hub.users.size).toBe(1);
  });

  test('heed no wall clock', async () => {
    const harness = new SessionHarness();
    const { peer } = await harness.enterPeer('alice');
    for (const jumpMs of [1e10, -3e10, 2e10]) {
      harness.clock.jump(jumpMs);
      harness.clock.advance(5_000);
      await peer.settle();
    }
    expect(harness.sessions.size).toBe(1);
  });
});

describe('a client that does not read', () => {
  async function stuckReader(options = {}) {
    const harness = new SessionHarness({ byteBurst: 1e9, messageBurst: 1e6, ...options });
    const alice = await harness.enterPeer('alice');
    const bob = await harness.enterPeer('bob');
    await alice.peer.join('den');
    await bob.peer.join('den');
    bob.transport.pause();
    return { harness, alice, bob };
  }

  test('is closed when it has taken nothing for thirty seconds; the others never wait', async () => {
    const { harness, alice, bob } = await stuckReader();
    for (let i = 0; i < 40; i += 1)
      expect(await alice.peer.say('den', 'x'.repeat(16_384))).toMatchObject({ type: 'ok' });
    harness.clock.advance(29_000);
    await alice.peer.settle();
    expect(harness.sessions.size).toBe(2);
    harness.clock.advance(3_000);
    await harness.settle();
    expect(harness.sessions.size).toBe(1);
    expect(harness.log.text).toContain('SLOW_READER');
    await bob.peer.closed;
  });

  test('costs no more than its queue, and hears what it missed when it reads again', async () => {
    const { alice, bob } = await stuckReader({ sendQueueBytes: 500_000, historyMessages: 50 });
    for (let i = 0; i < 200; i += 1) await alice.peer.say('den', 'x'.repeat(16_000));
    expect(bob.session.isFull).toBe(true);
    bob.transport.resume();
    const { dropped } = await bob.peer.nextOf('lagged');
    const got = bob.peer.seen('message');
    expect(got.length + dropped).toBe(200);
    expect(got.length * 16_000).toBeLessThan(900_000);
    expect(got.map(({ seq }) => seq)).toEqual(got.map((_, i) => i + 1));
    const after = got.at(-1)?.seq ?? 0;
    await bob.peer.ask({ type: 'history', room: DEN, after, before: null, sinceMs: null, limit: 200 });
    const { first, last } = await bob.peer.nextOf('gap');
    const page = bob.peer.seen('history').flatMap(({ messages }) => messages.map(({ seq }) => seq));
    expect([first, last, page[0], page.at(-1)]).toEqual([after + 1, 150, 151, 200]);
  });

  test('and asks without end has its requests wait, and no more of them read', async () => {
    const { harness, alice, bob } = await stuckReader({ sendQueueBytes: 500_000, sendQueueMessages: 1_000 });
    for (let i = 0; i < 50; i += 1) await alice.peer.say('den', 'x'.repeat(16_000));
    await harness.settle();
    let reads = 0;
    const read = harness.store.read.bind(harness.store);
    harness.store.read = (...query) => {
      reads += 1;
      return read(...query);
    };
    const asked = 2_000;
    const reqs = Array.from({ length: asked }, () =>
      bob.peer.send({ type: 'history', room: DEN, after: 0, before: null, sinceMs: null, limit: 200 }),
    );
    await harness.settle(200);
    // Each answer has 800 KB: with the queue full of messages already, the very first fills it.
    expect(reads).toBeLessThanOrEqual(2);
    expect(await alice.peer.ask({ type: 'ping' })).toMatchObject({ type: 'ok' });
    bob.transport.resume();
    await bob.peer.next((event) => event.type === 'ok' && event.req === reqs[49]);
    const answered = bob.peer.events.flatMap((event) =>
      event.type === 'ok' && event.req >= (reqs[0] ?? 0) ? [event.req] : [],
    );
    expect(answered.slice(0, 50)).toEqual(reqs.slice(0, 50));
  }, 60_000);

  test('and pings without end is held, and goes on where it was', async () => {
    const { harness, bob } = await stuckReader({ sendQueueBytes: 65_536, sendQueueMessages: 16 });
    const reqs = Array.from({ length: 3_000 }, () => bob.peer.send({ type: 'ping' }));
    await harness.settle(100);
    bob.transport.resume();
    await bob.peer.next((event) => event.type === 'ok' && event.req === reqs.at(-1));
    expect(
      bob.peer
        .seen('ok')
        .slice(-3_000)
        .map(({ req }) => req),
    ).toEqual(reqs);
  });

  test('cannot be filled by private messages', async () => {
    const { alice, bob } = await stuckReader({ sendQueueBytes: 500_000 });
    const codes: (number | 'ok')[] = [];
    for (let i = 0; i < 100; i += 1) {
      const id = i.toString(16).padStart(32, '0');
      const answer = await alice.peer.ask({
        type: 'tell',
        id,
        to: 'bob' as UserName,
        kind: 'text',
        body: 'x'.repeat(16_000),
      });
      codes.push(answer.type === 'ok' ? 'ok' : answer.code);
    }
    expect(codes.indexOf(ERRORS.NOT_DELIVERED.wire)).toBeLessThan(40);
    expect(new Set(codes.slice(40))).toEqual(new Set([ERRORS.NOT_DELIVERED.wire]));
    bob.transport.resume();
    await bob.peer.settle();
    expect(bob.peer.seen('private')).toHaveLength(codes.indexOf(ERRORS.NOT_DELIVERED.wire));
  });
});

describe('a client that reads slowly', () => {
  async function withConstantBuffer() {
    const harness = new SessionHarness({ slowReaderTimeout: 30_000, idleTimeout: 1e9 });
    const alice = await harness.enterPeer('alice');
    const bob = await harness.enterPeer('bob', { bufferedBytes: () => 100_000 });
    await alice.peer.join('den');
    await bob.peer.join('den');
    return { harness, alice };
  }

  test('is not taken for one that does not read, though as much is waiting for it at every look', async () => {
    const { harness, alice } = await withConstantBuffer();
    for (let i = 0; i < 30; i += 1) {
      await alice.peer.say('den', 'uniform traffic on a full line');
      await harness.settle(2);
      harness.clock.advance(5_000);
    }
    expect(harness.sessions.size).toBe(2);
  });

  test('is taken for one that does not read when nothing goes any more', async () => {
    const { harness } = await withConstantBuffer();
    await harness.settle(2);
    for (let i = 0; i < 7; i += 1) harness.clock.advance(5_000);
    await harness.settle();
    expect(harness.sessions.size).toBe(1);
  });
});

test('a heartbeat is answered while the store keeps what was said before waiting', async () => {
  const harness = new SessionHarness();
  const { peer } = await harness.enterPeer('alice');
  await peer.join('den');
  const gate = harness.store.hold('append');
  const id = '0'.repeat(32);
  peer.send({ type: 'say', again: false, room: DEN, kind: 'text', id, body: 'waits' });
  await gate.reached;
  // Who types meanwhile, and sees what others do, waits for nothing; what must wait keeps no heartbeat behind it.
  expect(await peer.ask({ type: 'typing', room: DEN })).toMatchObject({ type: 'ok' });
  expect(await peer.ask({ type: 'mark', room: DEN, delivered: 0, read: 0 })).toMatchObject({ type: 'ok' });
  for (let i = 0; i < 10; i += 1) void peer.ask({ type: 'rooms' }).catch(() => undefined);
  expect(await peer.ask({ type: 'ping' })).toMatchObject({ type: 'ok' });
  expect(peer.events.some((event) => event.type === 'ok' && 'seq' in event && event.seq === 1)).toBe(false);
  gate.release();
});

describe('a session that is ended', () => {
  test('hears why as the last thing, though its own request led to it', async () => {
    const harness = new SessionHarness({ sendQueueBytes: 65_536, byteBurst: 1e9 });
    const alice = await harness.enterPeer('alice');
    const bob = await harness.enterPeer('bob');
    await alice.peer.join('den');
    await bob.peer.join('den');
    const gate = harness.store.hold('append');
    const id = (n: number) => n.toString(16).padStart(32, '0');
    const say = { type: 'say', again: false, room: DEN, kind: 'text' } as const;
    alice.peer.send({ ...say, id: id(0), body: 'holds the store up' });
    await gate.reached;
    bob.peer.send({ ...say, id: id(1), body: 'his new name waits for this' });
    bob.peer.send({ type: 'nick', name: 'bob' as UserName });
    for (let i = 2; i < 32; i += 1) alice.peer.send({ ...say, id: id(i), body: 'x'.repeat(16_000) });
    await harness.settle();
    bob.transport.pause();
    gate.release();
    await harness.settle(10);
    bob.transport.resume();
    await bob.peer.closed;
    expect(bob.peer.events.at(-1)).toMatchObject({ type: 'error', req: null, code: ERRORS.SLOW_READER.wire });
    expect(harness.log.text).toContain('"code":"SLOW_READER"');
  });

  test('hears everything that was queued for it, and then why', async () => {
    const harness = new SessionHarness({ byteBurst: 1e9, messageBurst: 1e6 });
    const alice = await harness.enterPeer('alice');
    const bob = await harness.enterPeer('bob');
    await alice.peer.join('den');
    await bob.peer.join('den');
    bob.transport.pause();
    for (let i = 0; i < 100; i += 1) await alice.peer.say('den', 'x'.repeat(16_000));
    bob.session.end(new BcastError('SERVER_SHUTDOWN'));
    await harness.settle();
    expect(harness.hub.users.size).toBe(1);
    bob.transport.resume();
    await bob.peer.closed;
    expect(bob.peer.seen('message')).toHaveLength(100);
    expect(bob.peer.events.at(-1)).toMatchObject({ type: 'error', req: null, code: ERRORS.SERVER_SHUTDOWN.wire });
  });

  test('and does not read is closed all the same', async () => {
    const harness = new SessionHarness({ byteBurst: 1e9, messageBurst: 1e6 });
    const alice = await harness.enterPeer('alice');
    const bob = await harness.enterPeer('bob');
    await alice.peer.join('den');
    await bob.peer.join('den');
    bob.transport.pause();
    for (let i = 0; i < 100; i += 1) await alice.peer.say('den', 'x'.repeat(16_000));
    bob.session.end(new BcastError('SERVER_SHUTDOWN'));
    harness.clock.advance(4_000);
    await harness.settle();
    expect(harness.sessions.size).toBe(2);
    harness.clock.advance(3_000);
    await harness.settle();
    expect(harness.sessions.size).toBe(1);
  });

  test('does no more of what it was asked', async () => {
    const harness = new SessionHarness();
    const alice = await harness.enterPeer('alice');
    await alice.peer.join('den');
    const gate = harness.store.hold('bounds');
    alice.peer.send({ type: 'join', room: DEN, watch: false, code: null, create: null });
    alice.peer.send({ type: 'topic', room: DEN, topic: 'mine' });
    await gate.reached;
    alice.session.end(new BcastError('KICKED'));
    gate.release();
    await alice.peer.closed;
    await harness.settle();
    expect(harness.hub.rooms.find(DEN)?.state.topic).toBeNull();
    expect(harness.hub.rooms.find(DEN)?.size).toBe(0);
  });
});

describe('a connection that is cut', () => {
  test('leaves nothing behind, whatever was under way', async () => {
    const harness = new SessionHarness();
    for (const operation of ['open', 'bounds', 'append', 'read'] as const) {
      const alice = await harness.enterPeer('alice');
      if (operation === 'append' || operation === 'read') await alice.peer.join('den');
      const gate = harness.store.hold(operation);
      alice.peer.send({ type: 'join', room: DEN, watch: true, code: null, create: null });
      alice.peer.send({ type: 'say', id: '0'.repeat(32), again: false, room: DEN, kind: 'text', body: 'x' });
      alice.peer.send({ type: 'history', room: DEN, after: 0, before: null, sinceMs: null, limit: 1 });
      await gate.reached;
      alice.cut();
      await alice.peer.closed;
      gate.release();
      await harness.settle();
      expect([harness.sessions.size, harness.hub.users.size], operation).toEqual([0, 0]);
      expect(harness.hub.rooms.find(DEN)?.size ?? 0).toBe(0);
      harness.clock.advance(1_000_000);
      await harness.settle();
      expect(harness.hub.rooms.size, operation).toBe(0);
    }
  });
});
