import { BcastError, invariant } from '../errors.ts';

/** A frame, and a message inside the record stream, is `[length u32 big-endian][payload]`. */
export const LENGTH_PREFIX_BYTES = 4;

/** What a decoder allocates first for a payload that comes in pieces, in bytes; it doubles with what really comes. */
const FIRST_HOLD_BYTES = 256;

const NOTHING = new Uint8Array(0);

/** One frame around `payload`, in memory of its own. */
export function encodeFrame(payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(LENGTH_PREFIX_BYTES + payload.length);
  writeLengthPrefix(frame, 0, payload.length);
  frame.set(payload, LENGTH_PREFIX_BYTES);
  return frame;
}

/** Writes the prefix of a payload of `length` bytes at `offset`. */
export function writeLengthPrefix(out: Uint8Array, offset: number, length: number): void {
  out[offset] = length >>> 24;
  out[offset + 1] = length >>> 16;
  out[offset + 2] = length >>> 8;
  out[offset + 3] = length;
}

export interface FrameBounds {
  /** The longest payload accepted, in bytes. */
  readonly maxBytes: number;
  /** The shortest payload accepted, in bytes; 0 by default. */
  readonly minBytes?: number;
}

/**
 * Cuts a byte stream into payloads; used for frames and again for the messages inside records. Call `push` with a chunk,
 * then `next` until it says undefined, which is "incomplete" and no error.
 *
 * A payload that lies whole in the chunk is returned as a view of it. One that is spread over chunks is gathered in ONE
 * buffer, so that a peer who sends byte by byte costs bytes and not chunks; it grows with what has really come, never with
 * what a prefix claims, and is let go with the payload.
 */
export class FrameDecoder {
  #maxBytes = 0;
  #minBytes = 0;
  #chunk: Uint8Array = NOTHING;
  #offset = 0;
  /** The beginning of a frame, prefix included, of which `#heldBytes` are there. */
  #held: Uint8Array = NOTHING;
  #heldBytes = 0;

  constructor(bounds: FrameBounds) {
    this.setBounds(bounds);
  }

  /** Other bounds, from the next payload on. */
  setBounds(bounds: FrameBounds): void {
    this.#maxBytes = bounds.maxBytes;
    this.#minBytes = bounds.minBytes ?? 0;
  }

  /** Bytes held because a payload is not complete yet. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Gives the decoder a chunk, which stays the caller's and must stay untouched until `next` has said undefined. */
  push(chunk: Uint8Array): void {
    invariant(this.#offset === this.#chunk.length, 'a chunk is pushed when the one before is used up');
    this.#chunk = chunk;
    this.#offset = 0;
  }

  /**
   * The next whole payload, or undefined when more bytes are needed. It is valid as long as the chunk it came in, and the
   * caller may overwrite it. Throws BAD_FRAME on a length out of bounds, as soon as the prefix is there.
   */
  next(): Uint8Array | undefined {
    const chunk = this.#chunk;
    const available = chunk.length - this.#offset;
    if (this.#heldBytes > 0 || available < LENGTH_PREFIX_BYTES) return this.#nextHeld();
    const start = this.#offset + LENGTH_PREFIX_BYTES;
    const length = this.#checkedLength(chunk, this.#offset);
    if (chunk.length - start < length) return this.#nextHeld();
    this.#offset = start + length;
    return chunk.subarray(start, this.#offset);
  }

  /** Forgets everything held. */
  reset(): void {
    this.#chunk = NOTHING;
    this.#offset = 0;
    this.#release();
  }

  #nextHeld(): Uint8Array | undefined {
    if (!this.#holdUntil(LENGTH_PREFIX_BYTES)) return undefined;
    const frameBytes = LENGTH_PREFIX_BYTES + this.#checkedLength(this.#held, 0);
    if (!this.#holdUntil(frameBytes)) return undefined;
    const payload = this.#held.subarray(LENGTH_PREFIX_BYTES, frameBytes);
    this.#release();
    return payload;
  }

  /** Moves bytes from the chunk until `wanted` are held; false when the chunk ran out first. */
  #holdUntil(wanted: number): boolean {
    const taken = Math.min(wanted - this.#heldBytes, this.#chunk.length - this.#offset);
    if (taken > 0) {
      const end = this.#heldBytes + taken;
      this.#reserve(end, wanted);
      this.#held.set(this.#chunk.subarray(this.#offset, this.#offset + taken), this.#heldBytes);
      this.#heldBytes = end;
      this.#offset += taken;
    }
    if (this.#heldBytes >= wanted) return true;
    this.#chunk = NOTHING;
    this.#offset = 0;
    return false;
  }

  #reserve(needed: number, wanted: number): void {
    if (needed <= this.#held.length) return;
    const grown = new Uint8Array(Math.max(needed, Math.min(wanted, 2 * needed), FIRST_HOLD_BYTES));
    grown.set(this.#held.subarray(0, this.#heldBytes));
    this.#held = grown;
  }

  #release(): void {
    this.#held = NOTHING;
    this.#heldBytes = 0;
  }

  #checkedLength(bytes: Uint8Array, offset: number): number {
    const length = readLengthPrefix(bytes, offset);
    if (length < this.#minBytes || length > this.#maxBytes) {
      const bounds = `${this.#minBytes} to ${this.#maxBytes}`;
      throw new BcastError('BAD_FRAME', { cause: new Error(`length prefix ${length}, accepted are ${bounds}`) });
    }
    return length;
  }
}

function readLengthPrefix(bytes: Uint8Array, offset: number): number {
  const low = ((bytes[offset + 1] ?? 0) << 16) | ((bytes[offset + 2] ?? 0) << 8) | (bytes[offset + 3] ?? 0);
  return (bytes[offset] ?? 0) * 0x100_0000 + low;
}
