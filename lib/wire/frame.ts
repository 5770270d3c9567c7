import { BcastError } from '../errors.ts';

/** A frame, and a message inside the record stream, is `[length u32 big-endian][payload]`. */
export const LENGTH_PREFIX_BYTES = 4;

/** One frame around `payload`, in memory of its own. */
export function encodeFrame(payload: Uint8Array): Uint8Array {
  throw new BcastError('INTERNAL');
}

/** Writes the prefix of a payload of `length` bytes at `offset`. */
export function writeLengthPrefix(out: Uint8Array, offset: number, length: number): void {
  throw new BcastError('INTERNAL');
}

export interface FrameDecoderOptions {
  /** The longest payload accepted, in bytes. A longer prefix throws before anything is allocated. */
  readonly maxBytes: number;
  /** The shortest payload accepted, in bytes. */
  readonly minBytes?: number;
}

/**
 * Cuts a byte stream into payloads; used for frames and again for the messages inside records. Call `push` with a chunk,
 * then `next` until it says undefined, which is "incomplete" and no error. A payload that lies whole in the chunk is
 * returned as a view of it; one that is spread over chunks is gathered in memory that grows with what has really come.
 */
export class FrameDecoder {
  constructor(options: FrameDecoderOptions) {
    throw new BcastError('INTERNAL', { cause: options });
  }

  /** Bytes held because a payload is not complete yet. */
  get heldBytes(): number {
    throw new BcastError('INTERNAL');
  }

  /** Gives the decoder a chunk, which stays the caller's and must stay untouched until `next` has said undefined. */
  push(chunk: Uint8Array): void {
    throw new BcastError('INTERNAL', { cause: chunk });
  }

  /**
   * The next whole payload, or undefined. The bytes are valid until the following call of `next` or `push`. Throws
   * BAD_FRAME on a length out of bounds.
   */
  next(): Uint8Array | undefined {
    throw new BcastError('INTERNAL');
  }
}
