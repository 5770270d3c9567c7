import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeRequest } from '../../lib/protocol/codec.ts';
import type { UserName } from '../../lib/protocol/names.ts';
import { parseRefusal } from '../../lib/wire/opening.ts';
import { connectTcp } from '../../lib/wire/transport/tcp.ts';
import { ManualClock } from '../helpers/manual-clock.ts';
import { newMessageId, openPeer, Peer } from '../helpers/peer.ts';
import { frame, passUntil, prefix, RawPeer, sealed, shakeHands, startAttacked } from './under-attack.ts';

const NOT_BCAST = 'bcast: this port speaks the bcast protocol only\r\n';
const hello = encodeRequest({ type: 'hello', req: 1, name: 'mallory' as UserName, agent: '', password: null });
const ping = encodeRequest({ type: 'ping', req: 2 });

/** Versions and suites are named. */
const refusal = (reason: number) =>
  frame(Buffer.concat([Buffer.from('BCAST'), Buffer.from([0, reason, 1, 1, 4, 1, 2, 3, 4])])).toString('latin1');

/** What one may send first that is no bcast, and what one may be told then. */
const GARBAGE: readonly (readonly [what: string, bytes: Buffer, told: string])[] = [
  ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), NOT_BCAST],
  ['a TLS hello', Buffer.from('16030100c8010000c40303', 'hex'), NOT_BCAST],
  ['an SSH banner', Buffer.from('SSH-2.0-OpenSSH_9.2\r\n'), NOT_BCAST],
  ['an empty frame', prefix(0), NOT_BCAST],
  ['a frame of zeros', frame(Buffer.alloc(64)), NOT_BCAST],
  ['the magic alone', frame(Buffer.from('BCAST')), NOT_BCAST],
  ['the magic and a version', frame(Buffer.from('BCAST\u0001')), NOT_BCAST],
  ['the magic in small letters', frame(Buffer.from('bcast\u0001\u0001')), NOT_BCAST],
  ['version 0', frame(Buffer.concat([Buffer.from('BCAST\u0000\u0001'), Buffer.alloc(32)])), refusal(1)],
  ['version 2', frame(Buffer.concat([Buffer.from('BCAST\u0002\u0001'), Buffer.alloc(32)])), refusal(1)],
  ['suite 0', frame(Buffer.concat([Buffer.from('BCAST\u0001\u0000'), Buffer.alloc(32)])), refusal(2)],
  ['suite 5', frame(Buffer.concat([Buffer.from('BCAST\u0001\u0005'), Buffer.alloc(32)])), refusal(2)],
  ['suite 1 without a key', frame(Buffer.from('BCAST\u0001\u0001')), ''],
  ['suite 1 with half a key', frame(Buffer.concat([Buffer.from('BCAST\u0001\u0001'), randomBytes(16)])), ''],
  ['suite 1 with a key of zeros', frame(Buffer.concat([Buffer.from('BCAST\u0001\u0001'), Buffer.alloc(32)])), ''],
  ['suite 2 with the key of suite 1', frame(Buffer.concat([Buffer.from('BCAST\u0001\u0002'), randomBytes(32)])), ''],
  [
    'suite 4 with an encapsulation key that is none',
    frame(Buffer.concat([Buffer.from('BCAST\u0001\u0004'), randomBytes(32), Buffer.alloc(1_184, 0xff)])),
    '',
  ],
];

describe('before the handshake', () => {
  test.each(GARBAGE)('%s is closed with what it may be told', async (_what, bytes, told) => {
    const attacked = await startAttacked();
    const raw = new RawPeer(attacked.port);
    raw.write(bytes);
    await raw.closed;
    const text = raw.received.toString('latin1');
    expect(text).toBe(told);
    await attacked.expectUnhurt();
  });

  test('random bytes are closed and told nothing but what is spoken here', async () => {
    const attacked = await startAttacked();
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 4, maxLength: 300 }), async (bytes) => {
        const raw = new RawPeer(attacked.port);
        raw.socket.end(bytes);
        await raw.closed;
        expect(['', NOT_BCAST]).toContain(raw.received.toString('latin1'));
      }),
      { numRuns: 200 },
    );
    await attacked.expectUnhurt();
  });

  test('a length out of bounds is closed as soon as it is there, and one within waits for the deadline', async () => {
    const clock = new ManualClock();
    const attacked = await startAttacked({ clock, handshakeTimeout: 10_000 });
    for (const length of [4_097, 65_535, 65_536, 0x0100_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]) {
      const raw = new RawPeer(attacked.port);
      raw.write(prefix(length));
      await raw.closed;
      expect(raw.received.toString('latin1'), String(length)).toBe(NOT_BCAST);
    }
    const waiting = [1, 7, 4_095, 4_096].map((length) => {
      const raw = new RawPeer(attacked.port);
      raw.write(prefix(length));
      return raw;
    });
    await Promise.all(waiting.map((raw) => raw.connected()));
    await attacked.bob.settle();
    expect(waiting.map(({ isClosed }) => isClosed)).toEqual([false, false, false, false]);
    clock.advance(9_000);
    await attacked.bob.settle();
    expect(waiting.map(({ isClosed }) => isClosed)).toEqual([false, false, false, false]);
    await passUntil(clock, attacked, () => waiting.every(({ isClosed }) => isClosed));
    expect(waiting.map(({ received }) => received.length)).toEqual([0, 0, 0, 0]);
    await attacked.expectUnhurt();
  });

  test('a byte at a time is as good as all at once', async () => {
    const attacked = await startAttacked();
    const { raw, channel, outgoing } = await shakeHands(attacked.port, (peer, bytes) => {
      for (const byte of bytes) peer.write(Uint8Array.of(byte));
    });
    for (const bytes of sealed({ raw, channel, outgoing }, [hello]))
      for (const byte of bytes) raw.write(Uint8Array.of(byte));
    expect(await raw.frame()).toBeDefined();
    await attacked.expectUnhurt();
  });

  test('hundreds who say nothing, or half of something, are closed at the deadline', async () => {
    const clock = new ManualClock();
    const attacked = await startAttacked({ clock, handshakeTimeout: 10_000 });
    const halves = [
      Buffer.alloc(0),
      Buffer.from([0]),
      prefix(39),
      Buffer.concat([prefix(39), Buffer.from('BCAST\u0001')]),
    ];
    const silent = Array.from({ length: 400 }, (_, i) => {
      const raw = new RawPeer(attacked.port, { allowHalfOpen: i % 2 === 0 });
      const half = halves[i % halves.length] as Buffer;
      if (half.length > 0) raw.write(half);
      return raw;
    });
    await Promise.all(silent.map((raw) => raw.connected()));
    await attacked.bob.settle();
    // The half-open ones keep their side open, and are dropped all the same.
    await passUntil(clock, attacked, () => silent.every(({ isClosed, hasEnded }) => isClosed || hasEnded));
    for (const { socket } of silent) socket.destroy();
    await attacked.expectUnhurt();
  });

  test('who closes its own side at once is forgotten at once', async () => {
    const attacked = await startAttacked();
    for (let i = 0; i < 100; i += 1) {
      const raw = new RawPeer(attacked.port);
      if (i % 2 === 0) raw.write(prefix(39));
      raw.socket.end();
      await raw.closed;
    }
    await attacked.expectUnhurt();
  });
});

describe('during the handshake', () => {
  test('a bit flipped anywhere in the last message ends it, without a word', async () => {
    const attacked = await startAttacked();
    const heard: number[] = [];
    for (let at = 0; at < 164; at += 1) {
      const { raw } = await shakeHands(attacked.port, (peer, bytes, index) => {
        const copy = Buffer.from(bytes);
        if (index === 1) copy[at] = (copy[at] ?? 0) ^ (1 << (at % 8));
        peer.write(copy);
        // A larger length waits for more than there is.
        if (index === 1 && at < 4) peer.socket.end();
      });
      await raw.closed;
      heard.push(raw.received.length);
    }
    expect(new Set(heard)).toEqual(new Set([0]));
    await attacked.expectUnhurt();
  });

  test('a bit flipped anywhere in the first ends it too, at the latest with the last', async () => {
    const attacked = await startAttacked();
    for (let at = 4; at < 43; at += 1) {
      const { raw } = await shakeHands(attacked.port, (peer, bytes, index) => {
        const copy = Buffer.from(bytes);
        if (index === 0) copy[at] = (copy[at] ?? 0) ^ (1 << (at % 8));
        peer.write(copy);
      }).catch(() => ({ raw: undefined }));
      await raw?.closed;
    }
    await attacked.expectUnhurt();
  });

  test('records that come before it is done are no records', async () => {
    const attacked = await startAttacked();
    const { raw } = await shakeHands(attacked.port, (peer, bytes, index) => {
      if (index === 0) peer.write(bytes);
      else peer.write(frame(randomBytes(160)));
    });
    await raw.closed;
    expect(raw.received.length).toBe(0);
    await attacked.expectUnhurt();
  });
});

describe('after the handshake', () => {
  test.each([0, 15, 65_536, 0x0100_0000, 0xffff_ffff])('a record’s length of %i is closed', async (length) => {
    const attacked = await startAttacked();
    const { raw } = await shakeHands(attacked.port);
    raw.write(prefix(length));
    await raw.closed;
    expect(raw.received.length).toBe(0);
    await attacked.expectUnhurt();
  });

  test.each([
    ['replayed', (first: Buffer) => [first, first]],
    ['out of order', (first: Buffer, second: Buffer) => [second, first]],
    ['left out', (first: Buffer, _second: Buffer, third: Buffer) => [first, third]],
    [
      'changed',
      (first: Buffer) => [
        Buffer.concat([first.subarray(0, 10), Buffer.from([(first[10] ?? 0) ^ 1]), first.subarray(11)]),
      ],
    ],
    ['made up', () => [frame(randomBytes(200))]],
    ['empty but for a wrong tag', () => [frame(Buffer.alloc(16))]],
  ] as const)('a record that is %s ends the connection', async (_what, choose) => {
    const attacked = await startAttacked();
    const open = await shakeHands(attacked.port);
    const records = [...sealed(open, [hello]), ...sealed(open, [ping]), ...sealed(open, [ping])] as [
      Buffer,
      Buffer,
      Buffer,
    ];
    const pick = choose as (...records: [Buffer, Buffer, Buffer]) => Buffer[];
    open.raw.write(Buffer.concat(pick(...records)));
    await open.raw.closed;
    await attacked.expectUnhurt();
  });

  test.each([0, 262_145, 0x7fff_ffff, 0xffff_ffff])('a message’s length of %i is closed', async (length) => {
    const attacked = await startAttacked();
    const open = await shakeHands(attacked.port);
    for (const record of sealed(open, [hello, prefix(length)])) open.raw.write(record);
    await open.raw.closed;
    await attacked.expectUnhurt();
  });

  test('a message of the largest length that is none is refused', async () => {
    const attacked = await startAttacked();
    const open = await shakeHands(attacked.port);
    for (const record of sealed(open, [hello, prefix(262_144), Buffer.alloc(262_144, 0x82)])) open.raw.write(record);
    await open.raw.closed;
    await attacked.expectUnhurt();
  });

  test('empty records without end are closed', async () => {
    const attacked = await startAttacked();
    const open = await shakeHands(attacked.port);
    for (let i = 0; i < 1_100; i += 1) for (const record of sealed(open, [Buffer.alloc(0)])) open.raw.write(record);
    await open.raw.closed;
    await attacked.expectUnhurt();
  });

  test('half a record, and half a message, are closed at the deadline', async () => {
    const clock = new ManualClock();
    const attacked = await startAttacked({ clock, idleTimeout: 20_000 });
    const opens = [await shakeHands(attacked.port), await shakeHands(attacked.port)] as const;
    const [record] = sealed(opens[0], [hello, ping]) as [Buffer];
    opens[0].raw.write(record.subarray(0, record.length - 1));
    for (const whole of sealed(opens[1], [hello, ping.subarray(0, ping.length - 1)])) opens[1].raw.write(whole);
    await opens[1].raw.frame();
    await passUntil(clock, attacked, () => opens.every(({ raw }) => raw.isClosed));
    await attacked.expectUnhurt();
  });
});

describe('past the limits', () => {
  test('a storm of connections is turned away with the reason, in the clear, and those inside go on', async () => {
    const attacked = await startAttacked({ maxConnections: 2 });
    const storm = Array.from({ length: 600 }, () => new RawPeer(attacked.port));
    await Promise.all(storm.map((raw) => raw.connected()));
    const told = await Promise.all(storm.map((raw) => raw.frame()));
    for (const raw of storm) raw.socket.destroy();
    const refusals = told.flatMap((payload) => (payload ? [parseRefusal(payload)?.code] : []));
    expect(refusals.length).toBeGreaterThan(0);
    expect(new Set(refusals)).toEqual(new Set(['SERVER_FULL']));
    await Promise.all(storm.map(({ closed }) => closed));
    await attacked.expectUnhurt();
  });

  test('too many from one address, and too often, are told which', async () => {
    const clock = new ManualClock();
    const attacked = await startAttacked({
      clock,
      maxConnectionsPerAddress: 4,
      connectAttempts: 7,
      connectWindow: 15_000,
    });
    const codes: (string | undefined)[] = [];
    for (let i = 0; i < 8; i += 1)
      codes.push(
        await openPeer(attacked).then(
          () => 'open',
          (error) => error.code,
        ),
      );
    expect(codes).toEqual([
      'open',
      'open',
      'ADDRESS_FULL',
      'ADDRESS_FULL',
      'ADDRESS_FULL',
      'TOO_MANY_ATTEMPTS',
      'TOO_MANY_ATTEMPTS',
      'TOO_MANY_ATTEMPTS',
    ]);
    await attacked.expectUnhurt();
  });
});

describe('a connection that goes', () => {
  test('at any byte of a conversation leaves nobody in the room, and nobody hurt', async () => {
    const attacked = await startAttacked();
    let isWhole = false;
    for (let length = 0; !isWhole; length += 25) {
      const batch = Array.from({ length: 25 }, (_, i) => converse(attacked.port, length + i));
      isWhole = (await Promise.all(batch)).every((whole) => whole);
      expect(length).toBeLessThan(2_000);
    }
    // The last to be cut may still be on their way out.
    for (let left = 1; left > 0; ) {
      const req = attacked.bob.send({ type: 'names', room: 'parlour' as never });
      await attacked.bob.next((event) => event.type === 'ok' && event.req === req);
      left =
        attacked.bob
          .seen('members')
          .at(-1)
          ?.members.filter(({ name }) => name.startsWith('mallory')).length ?? 0;
    }
    await attacked.expectUnhurt();
  }, 60_000);
});

/** Says hello, joins, asks and leaves, and cuts its own line after so many bytes; true when it got to the end. */
async function converse(port: number, bytes: number): Promise<boolean> {
  const transport = await connectTcp({ host: '127.0.0.1', port });
  let left = bytes;
  const limited = Object.create(transport, {
    write: {
      value: (chunk: Uint8Array) => {
        const part = chunk.subarray(0, left);
        left -= part.length;
        if (part.length > 0) transport.write(new Uint8Array(part));
        if (part.length < chunk.length) {
          if (bytes % 2 === 0) transport.destroy();
          else transport.end();
        }
        return true;
      },
    },
    bufferedBytes: { get: () => transport.bufferedBytes },
    remoteAddress: { value: transport.remoteAddress },
    start: { value: transport.start.bind(transport) },
    end: { value: transport.end.bind(transport) },
    destroy: { value: transport.destroy.bind(transport) },
  });
  const peer = new Peer(limited, { suite: 1 });
  const room = 'parlour' as never;
  try {
    await peer.opened;
    await peer.ask({ type: 'hello', name: `mallory${bytes}` as UserName, agent: '', password: null });
    await peer.ask({ type: 'join', room, watch: true, code: null, create: null });
    await peer.ask({ type: 'typing', room });
    await peer.ask({ type: 'history', room, after: null, before: null, sinceMs: null, limit: 1 });
    await peer.ask({ type: 'leave', room });
    await peer.ask({ type: 'whois', name: `nobody${newMessageId().slice(0, 4)}` as UserName });
    return true;
  } catch {
    return false;
  } finally {
    transport.destroy();
    await peer.closed;
  }
}
