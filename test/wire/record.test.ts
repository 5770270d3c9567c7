import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_RECORD_FRAME_BYTES, MAX_RECORD_PLAINTEXT_BYTES, RECORDS_PER_KEY } from '../../lib/limits.ts';
import { MAX_COUNTER } from '../../lib/wire/crypto/nonce.ts';
import { CipherState } from '../../lib/wire/noise/cipher-state.ts';
import { RecordOpener, RecordSealer } from '../../lib/wire/record.ts';
import { concat, flipped, native, payloadsOf } from './fixtures.ts';
import { codeOf } from './thrown.ts';

const CIPHERS = ['aesGcm', 'secretbox'] as const;

describe.each(CIPHERS)('records by %s', (cipher) => {
  const key = new Uint8Array(32).fill(1);
  const newCipher = (): CipherState => new CipherState(native[cipher](key));

  /** Frames as sent, copied, in order. */
  function sealed(sealer: RecordSealer, parts: readonly Uint8Array[]): Uint8Array[] {
    const frames: Uint8Array[] = [];
    sealer.seal(parts, (frame) => {
      frames.push(new Uint8Array(frame));
      return true;
    });
    return frames;
  }

  function opened(opener: RecordOpener, frame: Uint8Array): Uint8Array {
    return new Uint8Array(opener.open(new Uint8Array(frame.subarray(4))));
  }

  test('give back what was sealed, in order, over several keys', () => {
    const anyParts = fc.array(fc.array(fc.uint8Array({ maxLength: 3_000 }), { maxLength: 4 }), { maxLength: 12 });
    fc.assert(
      fc.property(anyParts, fc.integer({ min: 1, max: 5 }), (rounds, recordsPerKey) => {
        const sealer = new RecordSealer(newCipher(), recordsPerKey);
        const opener = new RecordOpener(newCipher(), recordsPerKey);
        for (const parts of rounds) {
          const [frame, ...rest] = sealed(sealer, parts);
          expect(rest).toHaveLength(0);
          expect(opened(opener, frame ?? key)).toEqual(concat(...parts));
        }
      }),
      { numRuns: 30 },
    );
  });

  test('are cut where a frame is full', () => {
    for (const [bytes, lengths] of [
      [0, [0]],
      [MAX_RECORD_PLAINTEXT_BYTES - 1, [65_518]],
      [MAX_RECORD_PLAINTEXT_BYTES, [65_519]],
      [MAX_RECORD_PLAINTEXT_BYTES + 1, [65_519, 1]],
      [2 * MAX_RECORD_PLAINTEXT_BYTES, [65_519, 65_519]],
      [200_000, [65_519, 65_519, 65_519, 3_443]],
    ] as const) {
      const whole = new Uint8Array(bytes).map((_, i) => i % 251);
      const split = Math.floor(bytes / 3);
      for (const parts of [[whole], [whole.subarray(0, split), new Uint8Array(0), whole.subarray(split)]]) {
        const frames = sealed(new RecordSealer(newCipher()), parts);
        expect(frames.map((frame) => frame.length - 20)).toEqual(lengths);
        expect(frames.every((frame) => frame.length <= 4 + MAX_RECORD_FRAME_BYTES)).toBe(true);
        const opener = new RecordOpener(newCipher());
        expect(Buffer.compare(concat(...frames.map((frame) => opened(opener, frame))), whole)).toBe(0);
      }
    }
  });

  test('carry their length prefix', () => {
    const frames = concat(...sealed(new RecordSealer(newCipher()), [new Uint8Array(70_000)]));
    expect(payloadsOf(frames).map((payload) => payload.length)).toEqual([65_535, 4_481 + 16]);
  });

  test('open in their order only, once, unchanged', () => {
    const sealer = new RecordSealer(newCipher());
    const [first] = sealed(sealer, [key]);
    const [second] = sealed(sealer, [key]);
    if (first === undefined || second === undefined) throw new Error('two records were sealed');
    expect(codeOf(() => opened(new RecordOpener(newCipher()), second))).toBe('BAD_FRAME');
    expect(codeOf(() => opened(new RecordOpener(newCipher()), flipped(first, 30, 7)))).toBe('BAD_FRAME');
    expect(codeOf(() => opened(new RecordOpener(newCipher()), first.subarray(0, -1)))).toBe('BAD_FRAME');
    expect(codeOf(() => opened(new RecordOpener(newCipher()), concat(first, Uint8Array.of(0))))).toBe('BAD_FRAME');
    const opener = new RecordOpener(newCipher());
    expect(opened(opener, first)).toEqual(key);
    expect(codeOf(() => opened(opener, first))).toBe('BAD_FRAME');
  });

  test('move to the next key after exactly 65,536', () => {
    const sealer = new RecordSealer(newCipher());
    const send = (): boolean => true;
    for (let i = 0; i < RECORDS_PER_KEY - 1; i++) sealer.seal([], send);
    const frames = [...sealed(sealer, [key]), ...sealed(sealer, [key])];
    const underFirstKey = newCipher();
    underFirstKey.setNonce(RECORDS_PER_KEY - 1);
    expect(new Uint8Array(underFirstKey.open(frames[0]?.slice(4) ?? key))).toEqual(key);
    expect(codeOf(() => underFirstKey.open(frames[1]?.slice(4) ?? key))).toBe('BAD_FRAME');
    underFirstKey.rekey();
    expect(new Uint8Array(underFirstKey.open(frames[1]?.slice(4) ?? key))).toEqual(key);
  });

  test('end with the counter, before a nonce could come twice', () => {
    const cipher = newCipher();
    cipher.setNonce(MAX_COUNTER);
    const sealer = new RecordSealer(cipher, 7);
    expect(sealed(sealer, [key])).toHaveLength(1);
    expect(codeOf(() => sealed(sealer, [key]))).toBe('INTERNAL');
  });

  test('are neither sealed nor opened without a key', () => {
    const sealer = new RecordSealer(newCipher());
    const opener = new RecordOpener(newCipher());
    const [frame] = sealed(sealer, [key]);
    sealer.destroy();
    opener.destroy();
    expect(codeOf(() => sealed(sealer, [key]))).toBe('INTERNAL');
    expect(codeOf(() => opened(opener, frame ?? key))).toBe('INTERNAL');
  });

  test('do not touch the parts that several sessions share', () => {
    const shared = new Uint8Array(5_000).fill(9);
    sealed(new RecordSealer(newCipher()), [shared]);
    sealed(new RecordSealer(newCipher()), [shared, shared]);
    expect(shared.every((byte) => byte === 9)).toBe(true);
  });

  test.each([150, 5_000])('of %s bytes reuse memory that was given back, and no other', (bytes) => {
    const sealer = new RecordSealer(newCipher());
    const frames: Uint8Array[] = [];
    const sealAndSay = (isTaken: boolean): Uint8Array => {
      sealer.seal([new Uint8Array(bytes)], (frame) => {
        frames.push(frame);
        return isTaken;
      });
      return frames.at(-1) ?? key;
    };
    const kept = sealAndSay(false);
    const copy = new Uint8Array(kept);
    const given = sealAndSay(true);
    const after = sealAndSay(true);
    expect([after.buffer, after.byteOffset]).toEqual([given.buffer, given.byteOffset]);
    for (let i = 0; i < 100; i++) sealAndSay(i % 2 === 0);
    expect(new Uint8Array(kept)).toEqual(copy);
  });

  test('kept by who got them are not overwritten when the one around them is given back', () => {
    const sealer = new RecordSealer(newCipher());
    let kept: Uint8Array | undefined;
    sealer.seal([new Uint8Array(100)], () => {
      new RecordSealer(newCipher()).seal([new Uint8Array(100).fill(1)], (frame) => {
        kept = frame;
        return false;
      });
      return true;
    });
    const before = new Uint8Array(kept ?? key);
    for (let i = 0; i < 50; i++) sealer.seal([new Uint8Array(100)], () => true);
    expect(new Uint8Array(kept ?? key)).toEqual(before);
  });

  test('sealed while another is being sent do not overwrite it', () => {
    const sealer = new RecordSealer(newCipher());
    const other = new RecordSealer(newCipher());
    let outer = '';
    sealer.seal([new Uint8Array(100)], (frame) => {
      const before = Buffer.from(frame).toString('hex');
      other.seal([new Uint8Array(100).fill(1)], () => true);
      outer = Buffer.from(frame).toString('hex');
      expect(outer).toBe(before);
      return true;
    });
    expect(outer).not.toBe('');
  });
});
