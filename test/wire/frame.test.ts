import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeFrame, FrameDecoder, writeLengthPrefix } from '../../lib/wire/frame.ts';
import { concat, hex, toHex } from './fixtures.ts';
import { codeOf } from './thrown.ts';

const payloadLists = fc.array(fc.uint8Array({ maxLength: 700 }), { maxLength: 6 });

/** Everything a decoder finds in chunks, copied. */
function decodeAll(decoder: FrameDecoder, chunks: readonly Uint8Array[]): string[] {
  const found: string[] = [];
  for (const chunk of chunks) {
    decoder.push(chunk);
    for (let payload = decoder.next(); payload !== undefined; payload = decoder.next()) found.push(toHex(payload));
  }
  return found;
}

/** `bytes` cut at the given fractions of its length. */
function cut(bytes: Uint8Array, fractions: readonly number[]): Uint8Array[] {
  const places = [...new Set(fractions.map((f) => Math.floor(f * bytes.length)))].sort((a, b) => a - b);
  return [...places, bytes.length].map((end, i) => bytes.slice(places[i - 1] ?? 0, end));
}

function bytewise(bytes: Uint8Array): Uint8Array[] {
  return [...bytes].map((byte) => Uint8Array.of(byte));
}

test('a frame is its length as u32 big-endian and its payload', () => {
  expect(toHex(encodeFrame(hex('a1b2c3')))).toBe('00000003a1b2c3');
  expect(toHex(encodeFrame(new Uint8Array(0)))).toBe('00000000');
  const prefix = new Uint8Array(6);
  writeLengthPrefix(prefix, 1, 0x8000_00ff);
  expect(toHex(prefix)).toBe('00800000ff00');
});

describe('decoding', () => {
  test('gives back what was encoded, however the stream is cut', () => {
    fc.assert(
      fc.property(payloadLists, fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 }), (list, at) => {
        const stream = concat(...list.map(encodeFrame));
        const expected = list.map(toHex);
        expect(decodeAll(new FrameDecoder({ maxBytes: 700 }), [stream])).toEqual(expected);
        expect(decodeAll(new FrameDecoder({ maxBytes: 700 }), cut(stream, at))).toEqual(expected);
        expect(decodeAll(new FrameDecoder({ maxBytes: 700 }), bytewise(stream))).toEqual(expected);
      }),
    );
  });

  test('never finds anything but a beginning of what was sent in a truncated stream, and holds the rest', () => {
    fc.assert(
      fc.property(payloadLists, fc.nat(4_000), (list, keep) => {
        const stream = concat(...list.map(encodeFrame)).slice(0, keep);
        const decoder = new FrameDecoder({ maxBytes: 700 });
        const found = decodeAll(decoder, [stream]);
        expect(found).toEqual(list.map(toHex).slice(0, found.length));
        const usedBytes = found.reduce((sum, payload) => sum + 4 + payload.length / 2, 0);
        expect(decoder.heldBytes).toBe(stream.length - usedBytes);
      }),
    );
  });

  test('throws BAD_FRAME or nothing on bytes that are no stream', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }), (chunks) => {
        const decoder = new FrameDecoder({ minBytes: 1, maxBytes: 100 });
        expect([undefined, 'BAD_FRAME']).toContain(codeOf(() => decodeAll(decoder, chunks)));
      }),
    );
  });

  test('returns a view of the chunk when a payload lies whole in it', () => {
    const chunk = concat(encodeFrame(hex('0102')), encodeFrame(hex('03')));
    const decoder = new FrameDecoder({ maxBytes: 10 });
    decoder.push(chunk);
    expect(decoder.next()?.buffer).toBe(chunk.buffer);
    expect(decoder.next()?.buffer).toBe(chunk.buffer);
    expect(decoder.next()).toBeUndefined();
    expect(decoder.heldBytes).toBe(0);
  });

  test('copies what it keeps of a chunk', () => {
    const decoder = new FrameDecoder({ maxBytes: 10 });
    const chunk = hex('00000003aabb');
    decoder.push(chunk);
    expect(decoder.next()).toBeUndefined();
    chunk.fill(0);
    decoder.push(hex('cc'));
    expect(decoder.next()).toEqual(hex('aabbcc'));
  });

  test('accepts lengths at both bounds and none beyond', () => {
    const bounds = { minBytes: 2, maxBytes: 3 };
    for (const [digits, code] of [
      ['00000001aa', 'BAD_FRAME'],
      ['00000002aabb', undefined],
      ['00000003aabbcc', undefined],
      ['00000004', 'BAD_FRAME'],
      ['01000002', 'BAD_FRAME'],
      ['80000002', 'BAD_FRAME'],
      ['ffffffff', 'BAD_FRAME'],
    ] as const) {
      expect([digits, codeOf(() => decodeAll(new FrameDecoder(bounds), [hex(digits)]))]).toEqual([digits, code]);
      expect([digits, codeOf(() => decodeAll(new FrameDecoder(bounds), bytewise(hex(digits))))]).toEqual([
        digits,
        code,
      ]);
    }
  });

  test('refuses a long prefix before any of the payload has come', () => {
    const decoder = new FrameDecoder({ maxBytes: 10 });
    decoder.push(hex('0000'));
    expect(decoder.next()).toBeUndefined();
    decoder.push(hex('000b'));
    expect(codeOf(() => decoder.next())).toBe('BAD_FRAME');
  });

  test('takes new bounds from the next payload on, within one chunk', () => {
    const decoder = new FrameDecoder({ maxBytes: 2 });
    decoder.push(hex('00000001aa00000003bbbbbb'));
    expect(decoder.next()).toEqual(hex('aa'));
    decoder.setBounds({ maxBytes: 3 });
    expect(decoder.next()).toEqual(hex('bbbbbb'));
  });

  test('allocates by what has come, not by what a prefix claims', () => {
    const decoder = new FrameDecoder({ maxBytes: 0xffff_ffff });
    const before = process.memoryUsage().arrayBuffers;
    decoder.push(hex('40000000010203'));
    expect(decoder.next()).toBeUndefined();
    expect(decoder.heldBytes).toBe(7);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100_000);
  });

  test('copies a large payload that comes byte by byte only a few times', () => {
    const payload = new Uint8Array(100_000).fill(1);
    const set = Uint8Array.prototype.set;
    let copiedBytes = 0;
    Uint8Array.prototype.set = function (source, offset): void {
      copiedBytes += source.length;
      set.call(this, source, offset);
    };
    try {
      const decoder = new FrameDecoder({ maxBytes: 100_000 });
      const found = decodeAll(decoder, bytewise(encodeFrame(payload)));
      expect(found).toEqual([toHex(payload)]);
    } finally {
      Uint8Array.prototype.set = set;
    }
    expect(copiedBytes).toBeLessThan(4 * payload.length);
  });

  test('forgets everything on reset', () => {
    const decoder = new FrameDecoder({ maxBytes: 10 });
    decoder.push(hex('00000003aa'));
    decoder.next();
    decoder.reset();
    expect(decoder.heldBytes).toBe(0);
    decoder.push(hex('00000001bb'));
    expect(decoder.next()).toEqual(hex('bb'));
  });

  test('refuses a second chunk before the first is used up', () => {
    const decoder = new FrameDecoder({ maxBytes: 10 });
    decoder.push(hex('00000001aa00000001bb'));
    decoder.next();
    expect(codeOf(() => decoder.push(hex('00')))).toBe('INTERNAL');
  });
});
