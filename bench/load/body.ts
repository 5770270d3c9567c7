/** Every message of the bench carries a body of this size. */
export const BODY_BYTES = 128;

const SEQ_DIGITS = 6;
const TIME_DIGITS = 8;
const ZERO = 0x30;
const FILLER = 0x78;

/**
 * A body is printable ASCII, because bcast bodies are text: the sequence number in six digits of base 64 (from '0' up),
 * the moment of sending in eight, then filler. Reading one costs nanoseconds, unlike parsing decimal.
 */
export function createBody(): Buffer {
  return Buffer.alloc(BODY_BYTES, FILLER).fill(ZERO, 0, SEQ_DIGITS + TIME_DIGITS);
}

/** Stamps the body at `at`. `xor` is the WebSocket mask byte to apply, or 0. */
export function stampBody(bytes: Uint8Array, at: number, seq: number, timeUs: number, xor: number): void {
  putDigits(bytes, at, SEQ_DIGITS, seq, xor);
  putDigits(bytes, at + SEQ_DIGITS, TIME_DIGITS, timeUs, xor);
}

export function bodySeq(bytes: Uint8Array, at: number): number {
  return digits(bytes, at, SEQ_DIGITS);
}

/** The moment of sending, in whole microseconds of the load process's own monotonic clock. */
export function bodyTimeUs(bytes: Uint8Array, at: number): number {
  return digits(bytes, at + SEQ_DIGITS, TIME_DIGITS);
}

export function nowUs(): number {
  return Math.round(performance.now() * 1000);
}

function putDigits(bytes: Uint8Array, at: number, count: number, value: number, xor: number): void {
  let rest = value;
  for (let i = at + count - 1; i >= at; i--) {
    const next = Math.floor(rest / 64);
    bytes[i] = (ZERO + rest - next * 64) ^ xor;
    rest = next;
  }
}

function digits(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let i = at; i < at + count; i++) value = value * 64 + (bytes[i] as number) - ZERO;
  return value;
}
