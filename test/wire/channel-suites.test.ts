import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_MESSAGE_BYTES } from '../../lib/limits.ts';
import type { Identity } from '../../lib/wire/crypto/identity.ts';
import { createNativeCrypto } from '../../lib/wire/crypto/native.ts';
import { createPortableCrypto } from '../../lib/wire/crypto/portable.ts';
import { encodeFrame } from '../../lib/wire/frame.ts';
import { ALL_SUITES, DEFAULT_SUITE, SUITES } from '../../lib/wire/suites.ts';
import {
  concat,
  flipped,
  hex,
  identityOf,
  initiator,
  native,
  openPair,
  payloadsOf,
  responder,
  settle,
  toHex,
  utf8,
} from './fixtures.ts';
import { codeOf } from './thrown.ts';

const portable = createPortableCrypto();
const withoutSodium = createNativeCrypto({ sodium: 'off' });

const REPLY_BYTES = { XX: 192, XXhfs: 1_296 };

test('the suites are numbered 1 to 4 and the default is post-quantum', () => {
  expect(ALL_SUITES).toEqual([1, 2, 3, 4]);
  expect(SUITES.find((suite) => suite.id === DEFAULT_SUITE)?.isPostQuantum).toBe(true);
});

describe.each(SUITES.map((suite) => [suite.id, suite] as const))('suite %i', (suite, { handshake }) => {
  test('opens with the same hash at both ends and each other’s identity', () => {
    const { client, server } = openPair({ suite });
    expect(client.info?.suite).toBe(suite);
    expect(server.info?.suite).toBe(suite);
    expect(client.info?.handshakeHash).toHaveLength(32);
    expect(client.info?.handshakeHash).toEqual(server.info?.handshakeHash);
    expect(client.info?.peer.fingerprint).toBe(identityOf(native, 20).fingerprint);
    expect(client.met).toEqual(client.info?.peer);
    expect(server.info?.peer.fingerprint).toBe(identityOf(native, 10).fingerprint);
    expect(client.channel.isOpen && server.channel.isOpen).toBe(true);
  });

  test('never makes the same keys twice', () => {
    const hashes = [openPair({ suite }), openPair({ suite })].map(({ client }) => client.info?.handshakeHash);
    expect(hashes[0]).not.toEqual(hashes[1]);
  });

  test('has handshake messages of the lengths that are written down', () => {
    const client = initiator({ suite });
    const server = responder();
    client.channel.start();
    const opening = client.take();
    expect(opening.length).toBe(4 + (handshake === 'XX' ? 39 : 1_223));
    server.channel.receive(opening);
    const reply = server.take();
    expect(reply.length).toBe(4 + REPLY_BYTES[handshake]);
    client.channel.receive(reply);
    expect(client.take().length).toBe(4 + 160);
  });

  test('opens between providers, byte by byte', () => {
    for (const [a, b] of [
      [native, portable],
      [portable, native],
      [withoutSodium, native],
    ] as const) {
      const client = initiator({ suite, crypto: a });
      const server = responder({ crypto: b });
      client.channel.start();
      settle(client, server, 1);
      client.say(utf8('hello'));
      server.say(utf8('welcome'));
      settle(client, server, 1);
      expect(client.messages).toEqual([utf8('welcome')]);
      expect(server.messages).toEqual([utf8('hello')]);
    }
  });

  test('reveals nothing of the client before the server is accepted', () => {
    let met = '';
    const client = initiator({
      suite,
      handler: {
        onPeerIdentity: ({ fingerprint }) => {
          met = fingerprint;
        },
      },
    });
    const server = responder();
    client.channel.start();
    settle(client, server);
    expect(met).toBe(identityOf(native, 20).fingerprint);
    expect([client.channel.isOpen, server.channel.isOpen, client.sent.length]).toEqual([false, false, 0]);
    expect(codeOf(() => client.say(utf8('x')))).toBe('INTERNAL');
    client.channel.accept();
    expect(client.channel.isOpen).toBe(true);
    settle(client, server);
    expect(server.channel.isOpen).toBe(true);
    expect(codeOf(() => client.channel.accept())).toBe('INTERNAL');
  });

  test('carries messages of any sizes both ways, in order, over several keys, however cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.boolean(), fc.array(fc.uint8Array({ minLength: 1, maxLength: 400 }), { maxLength: 5 })), {
          maxLength: 10,
        }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 600 }),
        (turns, recordsPerKey, maxChunkBytes) => {
          const { client, server } = openPair({ suite, recordsPerKey });
          const said = { client: [] as Uint8Array[], server: [] as Uint8Array[] };
          for (const [isClient, messages] of turns) {
            const who = isClient ? 'client' : 'server';
            (isClient ? client : server).say(...messages);
            said[who].push(...messages);
          }
          settle(client, server, maxChunkBytes);
          expect(server.messages.map(toHex)).toEqual(said.client.map(toHex));
          expect(client.messages.map(toHex)).toEqual(said.server.map(toHex));
        },
      ),
      { numRuns: 20 },
    );
  });

  test('carries the largest message, over several records', () => {
    const { client, server } = openPair({ suite });
    const large = new Uint8Array(MAX_MESSAGE_BYTES).map((_, i) => i % 251);
    client.say(utf8('before'), large, utf8('after'));
    expect(client.sent.map((frame) => frame.length)).toEqual([65_539, 65_539, 65_539, 65_539, 111]);
    settle(client, server, 7_777);
    expect(server.messages.length).toBe(3);
    expect(Buffer.compare(server.messages[1] ?? large.subarray(1), large)).toBe(0);
    expect(server.channel.heldBytes).toBe(0);
  });

  test('ends on any flipped bit in any handshake message, and nothing opens at the other end', () => {
    for (const at of [0, 1, 2] as const) {
      const length = flightOf(suite, at).length;
      const places = [...new Array(24).keys()].map((i) => 4 + Math.floor((i * (length - 5)) / 23));
      for (const place of places) {
        const { code, victimSaid, opened } = deliverForged(suite, at, (frame) => flipped(frame, place, place % 8));
        if (at === 0 && place < 4 + 7) {
          expect(['BAD_FRAME', 'VERSION_UNSUPPORTED', 'SUITE_UNSUPPORTED', 'HANDSHAKE_FAILED']).toContain(code);
        } else {
          expect([code, victimSaid]).toEqual(['HANDSHAKE_FAILED', 0]);
        }
        expect(opened).toBe(false);
      }
    }
  });

  test('ends on a handshake message that is truncated or longer', () => {
    for (const at of [0, 1, 2] as const) {
      for (const change of [-1, 1, -16, 16]) {
        const outcome = deliverForged(suite, at, (frame) => encodeFrame(resized(frame.subarray(4), change)));
        expect([at, change, outcome]).toEqual([at, change, { code: 'HANDSHAKE_FAILED', victimSaid: 0, opened: false }]);
      }
    }
  });

  test('ends on any flipped bit in a record, at every place', () => {
    const frame = sealedHello(suite).frame;
    for (let place = 4; place < frame.length; place++) {
      const { server, frame: fresh } = sealedHello(suite);
      expect(codeOf(() => server.channel.receive(flipped(fresh, place, place % 8)))).toBe('BAD_FRAME');
      expect([server.channel.isClosed, server.sent.length, server.messages.length]).toEqual([true, 0, 0]);
    }
  });

  test('ends on records out of order, repeated, dropped, reflected or of another connection', () => {
    const two = (): { server: ReturnType<typeof responder>; first: Uint8Array; second: Uint8Array } => {
      const { client, server } = openPair({ suite });
      client.say(utf8('one'));
      const first = client.take();
      client.say(utf8('two'));
      return { server, first, second: client.take() };
    };
    const swapped = two();
    expect(codeOf(() => swapped.server.channel.receive(swapped.second))).toBe('BAD_FRAME');
    const repeated = two();
    repeated.server.channel.receive(new Uint8Array(repeated.first));
    expect(codeOf(() => repeated.server.channel.receive(repeated.first))).toBe('BAD_FRAME');
    const reflected = openPair({ suite });
    reflected.server.say(utf8('mine'));
    expect(codeOf(() => reflected.server.channel.receive(reflected.server.take()))).toBe('BAD_FRAME');
    expect(codeOf(() => two().server.channel.receive(two().first))).toBe('BAD_FRAME');
  });

  test('does not open for a binding that somebody else signed, or that was signed for another key', () => {
    const mine = identityOf(native, 10);
    const other = identityOf(native, 50);
    const unsigned: Identity = { ...mine, binding: concat(mine.binding.subarray(0, 32), new Uint8Array(64)) };
    const longer: Identity = { ...mine, binding: concat(mine.binding, hex('00')) };
    const swapped: Identity = { ...mine, noiseStatic: other.noiseStatic };
    for (const forged of [{ ...mine, binding: other.binding }, unsigned, longer, swapped]) {
      for (const role of ['client', 'server'] as const) {
        const client = initiator({ suite, ...(role === 'client' && { identity: forged }) });
        const server = responder(role === 'server' ? { identity: forged } : {});
        client.channel.start();
        expect([role, codeOf(() => settle(client, server))]).toEqual([role, 'HANDSHAKE_FAILED']);
        const victim = role === 'client' ? server : client;
        expect([victim.channel.isClosed, victim.info, victim.met, victim.sent.length]).toEqual([
          true,
          undefined,
          undefined,
          0,
        ]);
      }
    }
  });

  test('does not open between two of the same role', () => {
    const one = initiator({ suite });
    const two = initiator({ suite });
    one.channel.start();
    two.channel.start();
    expect(codeOf(() => one.channel.receive(two.take()))).toBe('HANDSHAKE_FAILED');
    const a = responder();
    const b = responder();
    one.take();
    const fresh = initiator({ suite });
    fresh.channel.start();
    a.channel.receive(fresh.take());
    expect(codeOf(() => b.channel.receive(a.take()))).toBe('BAD_FRAME');
  });

  test('does not open when the opening was changed on the way to ask for another suite of the same length', () => {
    const client = initiator({ suite });
    const server = responder();
    client.channel.start();
    const opening = client.take();
    opening[4 + 6] = suite > 2 ? suite - 2 : suite + 2;
    server.channel.receive(opening);
    expect(codeOf(() => client.channel.receive(server.take()))).toBe('HANDSHAKE_FAILED');
    expect(client.met).toBeUndefined();
  });

  test('takes no replay of a whole recorded handshake', () => {
    const client = initiator({ suite });
    const server = responder();
    client.channel.start();
    const opening = client.take();
    server.channel.receive(new Uint8Array(opening));
    client.channel.receive(server.take());
    const finish = client.take();
    const again = responder();
    again.channel.receive(opening);
    expect(codeOf(() => again.channel.receive(finish))).toBe('HANDSHAKE_FAILED');
    expect(again.info).toBeUndefined();
  });
});

/** The frame of one handshake message in an undisturbed handshake. */
function flightOf(suite: number, at: 0 | 1 | 2): Uint8Array {
  let frame: Uint8Array = hex('');
  deliverForged(suite, at, (original) => {
    frame = original;
    return original;
  });
  return frame;
}

/**
 * A handshake in which the message number `at` is changed on its way: the error of whoever noticed, what that one said in
 * answer, and whether the last to open did.
 */
function deliverForged(suite: number, at: 0 | 1 | 2, forge: (frame: Uint8Array) => Uint8Array) {
  const client = initiator({ suite });
  const server = responder();
  client.channel.start();
  const hops = [
    [client, server],
    [server, client],
    [client, server],
  ] as const;
  for (const [i, [from, to]] of hops.entries()) {
    const frame = from.take();
    const code = codeOf(() => to.channel.receive(i === at ? forge(frame) : frame));
    if (code !== undefined) return { code, victimSaid: to.sent.length, opened: server.info !== undefined };
  }
  return { code: undefined, victimSaid: 0, opened: server.info !== undefined };
}

function sealedHello(suite: number) {
  const { client, server } = openPair({ suite });
  client.say(utf8('hi'));
  return { server, frame: client.take() };
}

function resized(bytes: Uint8Array, by: number): Uint8Array {
  return by < 0 ? bytes.subarray(0, by) : concat(bytes, new Uint8Array(by));
}

test('frames of the handshake carry exactly one payload each', () => {
  const client = initiator();
  client.channel.start();
  expect(payloadsOf(client.take())).toHaveLength(1);
});
