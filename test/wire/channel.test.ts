import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_HANDSHAKE_FRAME_BYTES, MAX_MESSAGE_BYTES } from '../../lib/limits.ts';
import { Channel, MAX_RECORDS_WITHOUT_MESSAGE } from '../../lib/wire/channel.ts';
import { createBindingCache, type Identity, importIdentity } from '../../lib/wire/crypto/identity.ts';
import { createNativeCrypto } from '../../lib/wire/crypto/native.ts';
import { createPortableCrypto } from '../../lib/wire/crypto/portable.ts';
import { encodeFrame } from '../../lib/wire/frame.ts';
import { encodeRefusal, NOT_BCAST_LINE } from '../../lib/wire/opening.ts';
import { ALL_SUITES, DEFAULT_SUITE, SUITES } from '../../lib/wire/suites.ts';
import {
  concat,
  feed,
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
    for (const forged of [{ ...mine, binding: other.binding }, unsigned, { ...mine, noiseStatic: other.noiseStatic }]) {
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

describe('a responder', () => {
  test('answers what is not bcast with one plain line', () => {
    for (const bytes of [
      utf8('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
      hex('16030100f8010000f4'),
      utf8('SSH-2.0-x\r\n'),
      new Uint8Array(64).fill(0xff),
      encodeFrame(new Uint8Array(0)),
      encodeFrame(utf8('BCAS')),
      encodeFrame(utf8('hello there')),
      hex('00001001'),
    ]) {
      for (const maxChunkBytes of [1, 1_000]) {
        const server = responder();
        expect(codeOf(() => feed(server.channel, bytes, maxChunkBytes))).toBe('BAD_FRAME');
        expect(server.take()).toEqual(NOT_BCAST_LINE);
        expect(server.channel.isClosed).toBe(true);
      }
    }
  });

  test('refuses another version, naming its own', () => {
    for (const version of [0, 2, 255]) {
      const server = responder();
      const opening = encodeFrame(concat(utf8('BCAST'), Uint8Array.of(version, 4), new Uint8Array(50)));
      expect(codeOf(() => server.channel.receive(opening))).toBe('VERSION_UNSUPPORTED');
      expect(server.take()).toEqual(encodeFrame(encodeRefusal('version', [1, 2, 3, 4])));
    }
  });

  test('refuses a suite that it does not know or accept, naming those that it does', () => {
    for (const [suites, suite] of [
      [[2, 4], 1],
      [[1, 2, 3, 4], 5],
      [[1, 2, 3, 4], 0],
      [[], 1],
      [[1, 9], 9],
    ] as const) {
      const server = responder({ suites });
      const opening = encodeFrame(concat(utf8('BCAST'), Uint8Array.of(1, suite), new Uint8Array(32)));
      expect(codeOf(() => server.channel.receive(opening))).toBe('SUITE_UNSUPPORTED');
      expect(server.take()).toEqual(encodeFrame(encodeRefusal('suite', suites)));
    }
  });

  test('says nothing about why a handshake failed', () => {
    for (const opening of [
      concat(utf8('BCAST'), hex('0101'), new Uint8Array(32)),
      concat(utf8('BCAST'), hex('0101'), new Uint8Array(31).fill(9)),
      concat(utf8('BCAST'), hex('0101'), new Uint8Array(33).fill(9)),
      concat(utf8('BCAST'), hex('0104'), new Uint8Array(1_216).fill(0xff)),
    ]) {
      const server = responder();
      expect(codeOf(() => server.channel.receive(encodeFrame(opening)))).toBe('HANDSHAKE_FAILED');
      expect(server.sent).toHaveLength(0);
    }
  });

  test('holds no more than a handshake frame for a stranger', () => {
    const server = responder();
    server.channel.receive(concat(hex('00001000'), new Uint8Array(MAX_HANDSHAKE_FRAME_BYTES - 1)));
    expect(server.channel.heldBytes).toBe(4 + MAX_HANDSHAKE_FRAME_BYTES - 1);
    const greedy = responder();
    expect(codeOf(() => greedy.channel.receive(hex('00001001')))).toBe('BAD_FRAME');
  });

  test('keeps the small limit until the last handshake message has verified', () => {
    const client = initiator();
    const server = responder();
    client.channel.start();
    server.channel.receive(client.take());
    expect(codeOf(() => server.channel.receive(hex('00001001')))).toBe('HANDSHAKE_FAILED');
  });

  test('takes the last handshake message and records in one chunk', () => {
    const client = initiator();
    const server = responder();
    client.channel.start();
    server.channel.receive(client.take());
    client.channel.receive(server.take());
    client.say(new Uint8Array(60_000).fill(1));
    server.channel.receive(client.take());
    expect(server.messages.map((message) => message.length)).toEqual([60_000]);
  });

  test('ends on garbage after the opening', () => {
    const client = initiator();
    const server = responder();
    client.channel.start();
    server.channel.receive(client.take());
    server.take();
    expect(codeOf(() => server.channel.receive(encodeFrame(new Uint8Array(160).fill(7))))).toBe('HANDSHAKE_FAILED');
    expect([server.sent.length, server.channel.isClosed, server.info]).toEqual([0, true, undefined]);
  });

  test('survives any bytes at all with a typed error and no more than a line to say', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 5 }), fc.boolean(), (chunks, isMarked) => {
        const server = responder();
        const stream = isMarked ? [concat(hex('00000057'), utf8('BCAST'), hex('0101')), ...chunks] : chunks;
        const code = codeOf(() => {
          for (const chunk of stream) server.channel.receive(chunk);
        });
        expect([undefined, 'BAD_FRAME', 'HANDSHAKE_FAILED']).toContain(code);
        expect([server.info, server.messages.length]).toEqual([undefined, 0]);
        expect(server.take().length).toBeLessThan(300);
      }),
    );
  });

  test('verifies a known binding without a signature check, and a forged one never', () => {
    let verified = 0;
    const crypto = {
      ...native,
      verify: (...of: Parameters<typeof native.verify>) => {
        verified += 1;
        return native.verify(...of);
      },
    };
    const bindings = createBindingCache(4);
    const attempt = (identity: Identity): string => {
      const client = initiator({ identity });
      const sent: Uint8Array[] = [];
      let opened = 'closed';
      const server = new Channel({
        role: 'responder',
        crypto,
        identity: identityOf(native, 20),
        bindings,
        handler: {
          onOpen: ({ peer }) => {
            opened = peer.fingerprint;
          },
          onMessage: () => undefined,
        },
        send: (bytes) => sent.push(new Uint8Array(bytes)) > 0,
      });
      client.channel.start();
      server.receive(client.take());
      client.channel.receive(concat(...sent.splice(0)));
      return codeOf(() => server.receive(client.take())) ?? opened;
    };
    const mine = identityOf(native, 10);
    const other = identityOf(native, 50);
    expect([attempt(mine), attempt(mine), verified]).toEqual([mine.fingerprint, mine.fingerprint, 1]);
    expect([attempt({ ...other, binding: mine.binding }), verified]).toEqual(['HANDSHAKE_FAILED', 2]);
    expect([attempt({ ...other, binding: mine.binding }), verified]).toEqual(['HANDSHAKE_FAILED', 3]);
    expect([attempt(other), verified]).toEqual([other.fingerprint, 4]);
  });
});

describe('an initiator', () => {
  test('says what a refusal means and tries nothing else', () => {
    for (const [reason, code] of [
      ['version', 'VERSION_UNSUPPORTED'],
      ['suite', 'SUITE_UNSUPPORTED'],
    ] as const) {
      const client = initiator();
      client.channel.start();
      client.take();
      expect(codeOf(() => client.channel.receive(encodeFrame(encodeRefusal(reason, [1]))))).toBe(code);
      expect([client.sent.length, client.channel.isClosed]).toEqual([0, true]);
      client.channel.receive(encodeFrame(encodeRefusal(reason, [1])));
      expect(client.sent).toHaveLength(0);
    }
  });

  test('refuses to start a suite that there is none of', () => {
    expect(codeOf(() => initiator({ suite: 9 }).channel.start())).toBe('SUITE_UNSUPPORTED');
  });

  test('starts once', () => {
    const client = initiator();
    client.channel.start();
    expect(codeOf(() => client.channel.start())).toBe('INTERNAL');
    expect(codeOf(() => responder().channel.start())).toBe('INTERNAL');
  });

  test('takes a server that is something else for a failed handshake', () => {
    for (const bytes of [
      utf8('HTTP/1.1 400 Bad Request\r\n\r\n'),
      NOT_BCAST_LINE,
      encodeFrame(new Uint8Array(0)),
      encodeFrame(utf8('BCAST')),
      encodeFrame(new Uint8Array(1_296).fill(5)),
      encodeFrame(new Uint8Array(192).fill(5)),
    ]) {
      const client = initiator();
      client.channel.start();
      client.take();
      expect(codeOf(() => client.channel.receive(bytes))).toBe('HANDSHAKE_FAILED');
      expect([client.sent.length, client.met, client.info]).toEqual([0, undefined, undefined]);
    }
  });

  test('takes nothing before it has started', () => {
    expect(codeOf(() => initiator().channel.receive(encodeFrame(hex('00'))))).toBe('HANDSHAKE_FAILED');
  });

  test('takes nothing between meeting the server and accepting it', () => {
    const client = initiator({ handler: { onPeerIdentity: () => undefined } });
    const server = responder();
    client.channel.start();
    server.channel.receive(client.take());
    client.channel.receive(server.take());
    expect(codeOf(() => client.channel.receive(encodeFrame(new Uint8Array(40))))).toBe('HANDSHAKE_FAILED');
    expect(client.info).toBeUndefined();
  });

  test('can turn the server down', () => {
    const client = initiator({ handler: { onPeerIdentity: () => undefined } });
    const server = responder();
    client.channel.start();
    settle(client, server);
    client.channel.close();
    expect([client.sent.length, client.channel.isOpen]).toEqual([0, false]);
    expect(codeOf(() => client.channel.accept())).toBe('INTERNAL');
  });
});

describe('the message stream', () => {
  test('may cut messages anywhere', () => {
    const { client, server } = openPair();
    const stream = concat(encodeFrame(utf8('first')), encodeFrame(utf8('second')));
    for (const byte of stream) client.channel.sealMessages([Uint8Array.of(byte)]);
    settle(client, server);
    expect(server.messages).toEqual([utf8('first'), utf8('second')]);
  });

  test('goes out as one record for all parts', () => {
    const { client } = openPair();
    client.channel.sealMessages([encodeFrame(utf8('a')), encodeFrame(utf8('b')), encodeFrame(utf8('c'))]);
    expect(client.sent.map((frame) => frame.length)).toEqual([4 + 15 + 16]);
  });

  test('has no empty message and none over the limit', () => {
    for (const prefix of ['00000000', '00040001', 'ffffffff']) {
      const { client, server } = openPair();
      client.channel.sealMessages([hex(prefix)]);
      expect(codeOf(() => settle(client, server))).toBe('BAD_FRAME');
      expect(server.channel.isClosed).toBe(true);
    }
  });

  test('takes empty records, but not without end', () => {
    const { client, server } = openPair();
    for (let i = 1; i < MAX_RECORDS_WITHOUT_MESSAGE; i++) client.channel.sealMessages([]);
    client.say(utf8('still here'));
    settle(client, server);
    expect(server.messages).toEqual([utf8('still here')]);
    for (let i = 0; i < MAX_RECORDS_WITHOUT_MESSAGE; i++) client.channel.sealMessages([]);
    expect(codeOf(() => settle(client, server))).toBe('BAD_FRAME');
  });

  test('takes no message in more pieces than that either', () => {
    const { client, server } = openPair();
    client.channel.sealMessages([hex('00001000')]);
    for (let i = 0; i < MAX_RECORDS_WITHOUT_MESSAGE; i++) client.channel.sealMessages([hex('00')]);
    expect(codeOf(() => settle(client, server))).toBe('BAD_FRAME');
  });

  test('refuses records that are too short or too long to be any', () => {
    for (const prefix of ['00000000', '0000000f', '00010000', 'ffffffff']) {
      const { server } = openPair();
      expect(codeOf(() => server.channel.receive(hex(prefix)))).toBe('BAD_FRAME');
      expect(server.sent).toHaveLength(0);
    }
  });

  test('survives any bytes after the handshake with BAD_FRAME', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 4 }), fc.boolean(), (chunks, isFramed) => {
        const { server } = openPair({ suite: 3 });
        const code = codeOf(() => {
          for (const chunk of chunks) server.channel.receive(isFramed ? encodeFrame(chunk) : chunk);
        });
        expect([undefined, 'BAD_FRAME']).toContain(code);
        expect([server.messages.length, server.sent.length]).toEqual([0, 0]);
      }),
      { numRuns: 30 },
    );
  });

  test('stops at a handler that throws, and the channel is closed', () => {
    const { client, server } = openPair();
    server.onMessage = () => {
      throw new TypeError('not understood');
    };
    client.say(utf8('one'), utf8('two'));
    expect(() => settle(client, server)).toThrow('not understood');
    expect([server.messages.length, server.channel.isClosed]).toEqual([1, true]);
  });

  test('stops at a handler that closes, without an error', () => {
    const { client, server } = openPair();
    server.onMessage = () => server.channel.close();
    client.say(utf8('one'), utf8('two'));
    client.say(utf8('three'));
    settle(client, server);
    expect(server.messages).toEqual([utf8('one')]);
  });

  test('stops sealing when sending fails or closes the channel', () => {
    const { client } = openPair();
    client.channel.close();
    client.say(new Uint8Array(200_000));
    expect(client.sent).toHaveLength(0);
    let sends = 0;
    const closing = pairWithSend(() => {
      sends += 1;
      closing.close();
      return true;
    });
    closing.sealMessages([new Uint8Array(200_000)]);
    expect(sends).toBe(1);
    const failing = pairWithSend(() => {
      throw new TypeError('no pipe');
    });
    expect(() => failing.sealMessages([hex('00')])).toThrow('no pipe');
    expect(failing.isClosed).toBe(true);
  });

  test('lets go of what it held when it closes', () => {
    const { client, server } = openPair();
    client.channel.sealMessages([hex('00000010aabb')]);
    settle(client, server);
    server.channel.receive(hex('00000020aa'));
    expect(server.channel.heldBytes).toBe(11);
    server.channel.close();
    expect(server.channel.heldBytes).toBe(0);
    server.channel.receive(hex('aabbcc'));
    expect(server.channel.heldBytes).toBe(0);
  });
});

/** An open client channel whose sending is replaced once it is open. */
function pairWithSend(send: (bytes: Uint8Array) => boolean): Channel {
  const server = responder();
  let isOpen = false;
  const sent: Uint8Array[] = [];
  const channel: Channel = new Channel({
    role: 'initiator',
    crypto: native,
    identity: importIdentity(native, { signingSeed: new Uint8Array(32), staticSecret: new Uint8Array(32).fill(1) }),
    handler: {
      onPeerIdentity: () => channel.accept(),
      onOpen: () => {
        isOpen = true;
      },
      onMessage: () => undefined,
    },
    send: (bytes) => (isOpen ? send(bytes) : sent.push(new Uint8Array(bytes)) > 0),
  });
  channel.start();
  server.channel.receive(concat(...sent.splice(0)));
  channel.receive(server.take());
  return channel;
}

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
