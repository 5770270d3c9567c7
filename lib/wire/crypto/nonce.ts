import { invariant } from '../../errors.ts';

/** The largest counter value used for a nonce; 2^64 - 1 is set apart for REKEY (Noise §4.2). */
export const MAX_COUNTER = Number.MAX_SAFE_INTEGER;

/**
 * Writes `counter` as u64 big-endian. Throws INTERNAL past 2^53 - 1, where numbers are no longer exact: a nonce must never
 * come twice, and at a million records a second this end is 285 years away.
 */
export function writeCounter(nonce: Uint8Array, offset: number, counter: number): void {
  invariant(counter >= 0 && counter <= MAX_COUNTER, 'a record counter is at most 2^53 - 1');
  const high = Math.floor(counter / 0x1_0000_0000);
  nonce[offset] = high >>> 24;
  nonce[offset + 1] = high >>> 16;
  nonce[offset + 2] = high >>> 8;
  nonce[offset + 3] = high;
  nonce[offset + 4] = counter >>> 24;
  nonce[offset + 5] = counter >>> 16;
  nonce[offset + 6] = counter >>> 8;
  nonce[offset + 7] = counter;
}

/** Writes 2^64 - 1, the nonce of REKEY. */
export function writeRekeyCounter(nonce: Uint8Array, offset: number): void {
  nonce.fill(0xff, offset, offset + 8);
}
