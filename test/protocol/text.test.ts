import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import * as withBuffer from '../../lib/protocol/text.ts';
import { anyEvent } from './samples.ts';

type TextModule = typeof withBuffer;
const bytes = fc.uint8Array({ maxLength: 80 });
/** Sound text, lone surrogates, and what decoders like to treat specially. */
const texts = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.nat({ max: 0xffff }).map((unit) => String.fromCharCode(unit)) }),
  fc.constantFrom('', '\uFEFFx', '\uFFFD', '\ud800', '\udc00\ud800', '日\u0000本'),
);

describe('text where there is no Buffer', () => {
  let portable: TextModule;
  let encodeEventPortable: (event: never) => Uint8Array;
  let decodeEventPortable: (bytes: Uint8Array) => unknown;

  beforeAll(async () => {
    vi.resetModules();
    vi.stubGlobal('Buffer', undefined);
    portable = await import('../../lib/protocol/text.ts');
    ({ encodeEvent: encodeEventPortable, decodeEvent: decodeEventPortable } = await import(
      '../../lib/protocol/codec.ts'
    ));
    vi.unstubAllGlobals();
  });

  afterAll(() => vi.resetModules());

  test('is another path than the native one', () => {
    expect(portable).not.toBe(withBuffer);
    const spy = vi.spyOn(Buffer.prototype as unknown as { utf8Slice: () => string }, 'utf8Slice');
    portable.decodeUtf8(Uint8Array.of(0x61), 0, 1);
    expect(spy).not.toHaveBeenCalled();
    withBuffer.decodeUtf8(Uint8Array.of(0x61), 0, 1);
    expect(spy).toHaveBeenCalled();
  });

  test('decodes the same UTF-8 and refuses the same', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          bytes,
          texts.map((text) => new TextEncoder().encode(text)),
        ),
        (some) => {
          expect(portable.decodeUtf8(some, 0, some.length)).toBe(withBuffer.decodeUtf8(some, 0, some.length));
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test('encodes the same UTF-8', () => {
    fc.assert(
      fc.property(texts, (text) => {
        expect(encoded(portable, text)).toEqual(encoded(withBuffer, text));
      }),
    );
  });

  test('reads and writes the same hex', () => {
    fc.assert(
      fc.property(bytes, (some) => {
        const hex = Buffer.from(some).toString('hex');
        for (const each of [portable, withBuffer]) {
          expect(each.decodeHex(some, 0, some.length)).toBe(hex);
          const target = new Uint8Array(some.length + 2);
          each.encodeHexInto(hex, target, 1);
          expect(target.subarray(1, -1)).toEqual(some);
        }
      }),
    );
  });

  test('makes the same messages', async () => {
    const { encodeEvent } = await import('../../lib/protocol/codec.ts');
    fc.assert(
      fc.property(anyEvent, ({ value }) => {
        const message = encodeEventPortable(value as never);
        expect(message).toEqual(new Uint8Array(encodeEvent(value)));
        expect(decodeEventPortable(message.subarray(4))).toEqual(value);
      }),
    );
  });
});

describe('UTF-8', () => {
  test('is refused where it is not valid, never repaired', () => {
    const cases: readonly (readonly [string, string | null])[] = [
      ['61', 'a'],
      ['efbfbd', '\uFFFD'],
      ['efbbbf61', '\uFEFFa'],
      ['f09f9880', '😀'],
      ['80', null],
      ['c080', null],
      ['e08080', null],
      ['eda080', null],
      ['edbfbf', null],
      ['f4908080', null],
      ['ff', null],
      ['e282', null],
      ['61efbfbdff', null],
    ];
    for (const [hex, text] of cases) {
      const some = Buffer.from(hex, 'hex');
      expect(withBuffer.decodeUtf8(some, 0, some.length), hex).toBe(text);
    }
  });

  test('is measured without being written', () => {
    fc.assert(
      fc.property(texts, (text) => {
        expect(withBuffer.utf8Length(text)).toBe(Buffer.byteLength(text));
        expect(withBuffer.maxUtf8Bytes(text)).toBeGreaterThanOrEqual(Buffer.byteLength(text));
      }),
      { numRuns: 1_000 },
    );
  });
});

test('base64 is without padding, both ways', () => {
  fc.assert(
    fc.property(bytes, (some) => {
      const base64 = withBuffer.decodeBase64(some);
      expect(base64).toBe(Buffer.from(some).toString('base64').replace(/=+$/, ''));
      expect(withBuffer.encodeBase64(base64)).toEqual(some);
    }),
  );
});

function encoded(module: TextModule, text: string): Uint8Array {
  const target = new Uint8Array(module.maxUtf8Bytes(text) + 1);
  const written = module.encodeUtf8Into(text, target, 1);
  return target.slice(1, 1 + written);
}
