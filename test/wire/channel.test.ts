import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Channel, MAX_RECORDS_WITHOUT_MESSAGE } from '../../lib/wire/channel.ts';
import { importIdentity } from '../../lib/wire/crypto/identity.ts';
import { encodeFrame } from '../../lib/wire/frame.ts';
import { concat, hex, native, openPair, responder, settle, utf8 } from './fixtures.ts';
import { codeOf } from './thrown.ts';

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
