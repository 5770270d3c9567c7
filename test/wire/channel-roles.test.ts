import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_HANDSHAKE_FRAME_BYTES } from '../../lib/limits.ts';
import { Channel } from '../../lib/wire/channel.ts';
import { createBindingCache, type Identity } from '../../lib/wire/crypto/identity.ts';
import { encodeFrame } from '../../lib/wire/frame.ts';
import { encodeRefusal, NOT_BCAST_LINE } from '../../lib/wire/opening.ts';
import { concat, feed, hex, identityOf, initiator, native, responder, settle, utf8 } from './fixtures.ts';
import { codeOf } from './thrown.ts';

/** A provider that counts its key exchanges. */
function countingDh() {
  const counted = { exchanges: 0 };
  const dh: typeof native.dh = (pair, publicKey) => {
    counted.exchanges += 1;
    return native.dh(pair, publicKey);
  };
  return { counted, crypto: { ...native, dh } };
}

test('neither role spends a key exchange on a handshake message of the wrong length', () => {
  const { counted, crypto } = countingDh();
  const client = initiator({ crypto });
  const server = responder({ crypto });
  client.channel.start();
  const opening = client.take().slice(4);
  expect(codeOf(() => server.channel.receive(encodeFrame(opening.slice(0, -1))))).toBe('HANDSHAKE_FAILED');
  expect(codeOf(() => client.channel.receive(encodeFrame(new Uint8Array(1_295))))).toBe('HANDSHAKE_FAILED');
  expect(counted.exchanges).toBe(0);
  const other = responder({ crypto });
  other.channel.receive(encodeFrame(opening));
  const beforeFinish = counted.exchanges;
  expect(codeOf(() => other.channel.receive(encodeFrame(new Uint8Array(161))))).toBe('HANDSHAKE_FAILED');
  expect([beforeFinish, counted.exchanges]).toEqual([2, 2]);
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
