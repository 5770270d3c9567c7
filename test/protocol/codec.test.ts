import { type DecodeOptions, decode, encode } from 'cborg';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BcastError } from '../../lib/errors.ts';
import { MAX_MESSAGE_BYTES } from '../../lib/limits.ts';
import { CborWriter } from '../../lib/protocol/cbor.ts';
import {
  appendEvent,
  decodeEvent,
  decodeRequest,
  encodeEvent,
  encodeRequest,
  requestIdOf,
} from '../../lib/protocol/codec.ts';
import { EVENTS, type Event, REQUESTS, type Request } from '../../lib/protocol/messages.ts';
import { requireUserName, type UserName } from '../../lib/protocol/names.ts';
import { anyEvent, anyRequest, EVENT_TYPES, eventSamples, REQUEST_TYPES, requestSamples } from './samples.ts';

/** The independent implementation at its strictest. */
const STRICT: DecodeOptions = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowNaN: false,
  allowInfinity: false,
};

/** The two halves of the conversation under the same tests. */
const HALVES = [
  {
    name: 'requests',
    any: anyRequest,
    encodeOurs: (value: unknown) => encodeRequest(value as Request),
    decodeOurs: decodeRequest,
  },
  {
    name: 'events',
    any: anyEvent,
    encodeOurs: (value: unknown) => encodeEvent(value as Event),
    decodeOurs: decodeEvent,
  },
];

describe('messages', () => {
  test.each(REQUEST_TYPES)('the request %s goes over and comes back, for us and for cborg', (type) => {
    fc.assert(
      fc.property(requestSamples(type), ({ value, plain }) => {
        const payload = unframed(encodeRequest(value));
        expect(decode(payload, STRICT)).toEqual(plain);
        expect(decodeRequest(payload)).toEqual(value);
        expect(decodeRequest(encode(plain))).toEqual(value);
      }),
    );
  });

  test.each(EVENT_TYPES)('the event %s goes over and comes back, for us and for cborg', (type) => {
    fc.assert(
      fc.property(eventSamples(type), ({ value, plain }) => {
        const payload = unframed(encodeEvent(value));
        expect(decode(payload, STRICT)).toEqual(plain);
        expect(decodeEvent(payload)).toEqual(value);
        expect(decodeEvent(encode(plain))).toEqual(value);
      }),
    );
  });

  test('have numbers of their own', () => {
    const tags = [...Object.values(REQUESTS), ...Object.values(EVENTS)].map(({ tag }) => tag);
    expect(new Set(tags).size).toBe(tags.length);
    expect(Math.max(...tags)).toBeLessThanOrEqual(0xff);
  });

  test('fit into the largest message with the largest of each field', () => {
    const body = '\u{10FFFF}'.repeat(65_536 / 4);
    const name = '\u{20000}'.repeat(50) as UserName;
    const most = {
      type: 'private',
      from: name,
      fp: `SHA256:${'A'.repeat(43)}`,
      to: name,
      kind: 'text',
      ts: 1,
      id: '0'.repeat(32),
      body,
    } as const;
    expect(encodeEvent(most).length).toBeLessThan(MAX_MESSAGE_BYTES);
    expect(decodeEvent(unframed(encodeEvent(most)))).toEqual(most);
  });

  test('are appended one after another', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 5 }), (samples) => {
        const writer = new CborWriter(16);
        for (const { value } of samples) appendEvent(writer, value);
        expect(Buffer.from(writer.take())).toEqual(Buffer.concat(samples.map(({ value }) => encodeEvent(value))));
      }),
    );
  });

  test('carry lone surrogates as the replacement character', () => {
    const request = {
      type: 'say',
      req: 1,
      id: '0'.repeat(32),
      again: false,
      room: requireUserName('lobby') as never,
      kind: 'text',
      body: 'a\ud800b\udc00',
    } as const;
    const decoded = decodeRequest(unframed(encodeRequest(request)));
    expect(decoded).toEqual({ ...request, body: 'a\uFFFDb\uFFFD' });
  });

  test('leave nothing behind when one cannot be encoded', () => {
    const broken = { type: 'away', req: 1, text: undefined } as unknown as Request;
    const sound = { type: 'ping', req: 2 } as const;
    const before = encodeRequest(sound);
    expect(() => encodeRequest(broken)).toThrow();
    expect(encodeRequest(sound)).toEqual(before);
  });
});

describe.each(HALVES)('decoding $name', ({ any, encodeOurs, decodeOurs }) => {
  const wellFormed = any.map(({ value }) => unframed(encodeOurs(value)));

  test('refuses what ends early, at every byte', () => {
    fc.assert(
      fc.property(wellFormed, (payload) => {
        // Long bodies are cut where it matters: in the heads and names in front, and at the end.
        for (let end = 0; end < payload.length; end += end < 300 || end > payload.length - 50 ? 1 : 997) {
          expect(outcome(decodeOurs, payload.subarray(0, end))).toBe('BAD_MESSAGE');
        }
      }),
    );
  });

  test('refuses a byte more', () => {
    fc.assert(
      fc.property(wellFormed, fc.nat({ max: 255 }), (payload, byte) => {
        expect(outcome(decodeOurs, Buffer.concat([payload, Uint8Array.of(byte)]))).toBe('BAD_MESSAGE');
      }),
    );
  });

  test('takes a flipped bit for another message or refuses it as ours', () => {
    fc.assert(
      fc.property(wellFormed, fc.nat(), (payload, position) => {
        const bit = position % (Math.min(payload.length, 400) * 8);
        const flipped = Uint8Array.from(payload);
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expectDecodedOnce(decodeOurs, encodeOurs, flipped);
      }),
      { numRuns: 2_000 },
    );
  });

  test('takes random bytes for nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => expectDecodedOnce(decodeOurs, encodeOurs, bytes)),
      { numRuns: 2_000 },
    );
  });

  test('takes random bytes behind a sound beginning for nothing', () => {
    const beginning = fc.tuple(
      fc.integer({ min: 0x81, max: 0x8b }),
      fc.nat({ max: 80 }),
      fc.uint8Array({ maxLength: 100 }),
    );
    fc.assert(
      fc.property(beginning, ([head, tag, rest]) => {
        const tagged = tag < 24 ? [tag] : [0x18, tag];
        expectDecodedOnce(decodeOurs, encodeOurs, Uint8Array.of(head, ...tagged, ...rest));
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('decoding a request', () => {
  test('takes the shortest forms of the same', () => {
    expect(decodeRequest(Buffer.from('821105', 'hex'))).toEqual({ type: 'ping', req: 5 });
    expect(decodeRequest(Buffer.from('82111affffffff', 'hex'))).toEqual({ type: 'ping', req: 0xffff_ffff });
    expect(decodeRequest(Buffer.from('8612016161f5f6f6', 'hex'))).toEqual({
      type: 'join',
      req: 1,
      room: 'a',
      watch: true,
      code: null,
      create: null,
    });
    expect(decodeRequest(Buffer.from('831818016161', 'hex'))).toEqual({ type: 'away', req: 1, text: 'a' });
    expect(decodeRequest(Buffer.from('87181d016161f6f6f618c8', 'hex'))).toMatchObject({ type: 'history', limit: 200 });
    const largestSeq = Buffer.from('87181d0161611b001ffffffffffffff6f601', 'hex');
    expect(decodeRequest(largestSeq)).toMatchObject({ after: Number.MAX_SAFE_INTEGER });
    const longestText = Buffer.from(`83181801790200${'61'.repeat(512)}`, 'hex');
    expect(decodeRequest(longestText)).toMatchObject({ text: 'a'.repeat(512) });
  });

  test('says which request it was when the beginning can be read', () => {
    expect(requestIdOf(Buffer.from('82111affffffff', 'hex'))).toBe(0xffff_ffff);
    expect(requestIdOf(Buffer.from('841201ff', 'hex'))).toBe(1);
    expect(requestIdOf(Buffer.from('820f01', 'hex'))).toBeNull();
    expect(requestIdOf(Buffer.from('8211f6', 'hex'))).toBeNull();
    expect(requestIdOf(Buffer.from('', 'hex'))).toBeNull();
  });

  test('tells a name that is none from a message that is none', () => {
    const room = Buffer.concat([Buffer.from('83130163', 'hex'), Buffer.from('a b')]);
    const user = Buffer.concat([Buffer.from('83160163', 'hex'), Buffer.from('a b')]);
    expect(outcome(decodeRequest, room)).toBe('ROOM_NAME_INVALID');
    expect(outcome(decodeRequest, user)).toBe('NAME_INVALID');
    expect(outcome(decodeRequest, Buffer.from('83130160', 'hex'))).toBe('ROOM_NAME_INVALID');
  });

  test('brings names into their one form', () => {
    const name = Buffer.from('ｆｕｌｌ');
    const hello = Buffer.concat([
      Buffer.from('85100178', 'hex'),
      Uint8Array.of(name.length),
      name,
      Buffer.from('60f6', 'hex'),
    ]);
    // 12 bytes take a head of one byte; the two-byte head is refused.
    expect(outcome(decodeRequest, hello)).toBe('BAD_MESSAGE');
    const sound = Buffer.concat([
      Buffer.from('851001', 'hex'),
      Uint8Array.of(0x60 + name.length),
      name,
      Buffer.from('60f6', 'hex'),
    ]);
    expect(decodeRequest(sound)).toMatchObject({ type: 'hello', name: 'full' });
  });
});

/** Either a BcastError, or a message that is the same however often it is encoded and decoded. */
function expectDecodedOnce(
  decodeOurs: (bytes: Uint8Array) => unknown,
  encodeOurs: (value: unknown) => Uint8Array,
  bytes: Uint8Array,
): void {
  if (outcome(decodeOurs, bytes) !== 'decoded') return;
  const message = decodeOurs(bytes);
  const again = unframed(encodeOurs(message));
  // There is one encoding only: what differs is a name that was not in its one form.
  if (!Buffer.from(bytes).equals(again))
    expect(JSON.stringify(message)).toMatch(/"(?:name|room|to|from|by|owner|other|rooms|names|readers)":/);
  expect(decodeOurs(again)).toEqual(message);
}

function outcome(decodeOurs: (bytes: Uint8Array) => unknown, bytes: Uint8Array): string {
  try {
    decodeOurs(bytes);
    return 'decoded';
  } catch (error) {
    if (error instanceof BcastError) return error.code;
    throw error;
  }
}

function unframed(framed: Uint8Array): Uint8Array {
  expect(new DataView(framed.buffer, framed.byteOffset).getUint32(0)).toBe(framed.length - 4);
  return framed.subarray(4);
}
