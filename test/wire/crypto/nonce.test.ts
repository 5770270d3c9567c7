import { expect, test } from 'vitest';
import { MAX_COUNTER, writeCounter, writeRekeyCounter } from '../../../lib/wire/crypto/nonce.ts';
import { toHex } from '../fixtures.ts';
import { codeOf } from '../thrown.ts';

function written(counter: number): string {
  const nonce = new Uint8Array(12).fill(0xaa);
  writeCounter(nonce, 3, counter);
  return toHex(nonce);
}

test('a counter is written as u64 big-endian, beyond 32 bits too', () => {
  expect(written(0)).toBe('aaaaaa0000000000000000aa');
  expect(written(0x01020304)).toBe('aaaaaa0000000001020304aa');
  expect(written(0xffff_ffff)).toBe('aaaaaa00000000ffffffffaa');
  expect(written(0x1_0000_0000)).toBe('aaaaaa0000000100000000aa');
  expect(written(0x0012_3456_789a_bcde)).toBe('aaaaaa00123456789abcdeaa');
  expect(written(MAX_COUNTER)).toBe('aaaaaa001fffffffffffffaa');
});

test('no counter is written that numbers do not hold exactly', () => {
  for (const counter of [-1, MAX_COUNTER + 1, Number.POSITIVE_INFINITY, Number.NaN]) {
    expect(codeOf(() => written(counter))).toBe('INTERNAL');
  }
});

test('the counter of a rekey is the largest u64', () => {
  const nonce = new Uint8Array(10);
  writeRekeyCounter(nonce, 1);
  expect(toHex(nonce)).toBe('00ffffffffffffffff00');
});
