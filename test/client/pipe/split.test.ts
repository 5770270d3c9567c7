import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSplitter, type Piece } from '../../../lib/client/pipe/split.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const show = ({ number, bytes: b }: Piece) => [number, b === null ? null : new TextDecoder().decode(b)] as const;

function split(chunks: readonly Uint8Array[], delimiter: number | null = 10, maxBytes = 100) {
  const splitter = createSplitter(delimiter, maxBytes);
  const pieces = chunks.flatMap((chunk) => [...splitter.push(chunk)].map(show));
  return [...pieces, ...[...splitter.end()].map(show)];
}

describe('createSplitter', () => {
  test('counts lines from 1 and keeps empty ones', () => {
    expect(split([bytes('a\n\nb\n')])).toEqual([
      [1, 'a'],
      [2, ''],
      [3, 'b'],
    ]);
  });

  test('gives a last line that has no delimiter', () => {
    expect(split([bytes('a\nlast')])).toEqual([
      [1, 'a'],
      [2, 'last'],
    ]);
  });

  test('gives nothing for empty input', () => {
    expect(split([])).toEqual([]);
    expect(split([new Uint8Array(0)])).toEqual([]);
  });

  test('keeps everything as one piece without a delimiter', () => {
    expect(split([bytes('a\nb\0'), bytes('\nc')], null)).toEqual([[1, 'a\nb\0\nc']]);
  });

  test('reports a piece over the limit once, without its bytes, and goes on', () => {
    expect(split([bytes('aaaa'), bytes('aaaaaaaa\nok\n')], 10, 5)).toEqual([
      [1, null],
      [2, 'ok'],
    ]);
    expect(split([bytes('123456')], 10, 5)).toEqual([[1, null]]);
    expect(split([bytes('12345\n')], 10, 5)).toEqual([[1, '12345']]);
  });

  test('keeps what it holds when the stream reuses its buffer', () => {
    const splitter = createSplitter(10, 100);
    const chunk = bytes('abc');
    expect([...splitter.push(chunk)]).toEqual([]);
    chunk.fill(120);
    expect([...splitter.push(bytes('d\n'))].map(show)).toEqual([[1, 'abcd']]);
  });

  test('gives the same pieces however the input is cut', () => {
    const input = fc.array(fc.constantFrom(...bytes('ab\n\r\0')), { maxLength: 60 });
    fc.assert(
      fc.property(input, fc.array(fc.nat(60)), fc.integer({ min: 1, max: 8 }), (whole, cuts, maxBytes) => {
        const data = Uint8Array.from(whole);
        const at = [0, ...cuts.filter((cut) => cut < data.length).sort((a, b) => a - b), data.length];
        const chunks = at.slice(1).map((end, i) => data.slice(at[i], end));
        expect(split(chunks, 10, maxBytes)).toEqual(split([data], 10, maxBytes));
      }),
    );
  });
});
