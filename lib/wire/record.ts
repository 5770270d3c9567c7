import { invariant } from '../errors.ts';
import { MAX_RECORD_FRAME_BYTES, MAX_RECORD_PLAINTEXT_BYTES, RECORD_TAG_BYTES, RECORDS_PER_KEY } from '../limits.ts';
import { totalBytes } from './bytes.ts';
import { LENGTH_PREFIX_BYTES, writeLengthPrefix } from './frame.ts';
import { FrameMemory } from './frame-memory.ts';
import type { CipherState } from './noise/cipher-state.ts';

/** Takes a whole frame; true says that its memory may be used again. */
export type SendFrame = (frame: Uint8Array) => boolean;

const SEAL_OVERHEAD_BYTES = LENGTH_PREFIX_BYTES + RECORD_TAG_BYTES;

/** Small frames that wait in a socket must not each keep the slab of a large one alive. */
const SMALL_FRAME_BYTES = 2_048;
const smallFrames = new FrameMemory(8 * SMALL_FRAME_BYTES);
const largeFrames = new FrameMemory(LENGTH_PREFIX_BYTES + MAX_RECORD_FRAME_BYTES);

/** Seals one direction (PROTOCOL §5). */
export class RecordSealer {
  readonly #cipher: CipherState;
  readonly #recordsPerKey: number;

  constructor(cipher: CipherState, recordsPerKey: number = RECORDS_PER_KEY) {
    this.#cipher = cipher;
    this.#recordsPerKey = recordsPerKey;
  }

  /**
   * Seals the concatenation of `parts` and sends it, one call a record: one when it fits, else as many as needed. The
   * parts are read, not kept. Throws INTERNAL when the counter is used up.
   */
  seal(parts: readonly Uint8Array[], send: SendFrame): void {
    const bytes = totalBytes(parts);
    if (bytes <= MAX_RECORD_PLAINTEXT_BYTES) {
      this.#sealOne(parts, bytes, send);
      return;
    }
    for (const cut of cutParts(parts, MAX_RECORD_PLAINTEXT_BYTES)) {
      // `send` may have ended the channel.
      if (!this.#cipher.hasKey()) return;
      this.#sealOne(cut, totalBytes(cut), send);
    }
  }

  #sealOne(parts: readonly Uint8Array[], bytes: number, send: SendFrame): void {
    const frameBytes = bytes + SEAL_OVERHEAD_BYTES;
    const memory = frameBytes <= SMALL_FRAME_BYTES ? smallFrames : largeFrames;
    const frame = memory.take(frameBytes);
    writeLengthPrefix(frame, 0, bytes + RECORD_TAG_BYTES);
    const written = this.#cipher.sealInto(parts, frame, LENGTH_PREFIX_BYTES);
    invariant(written === bytes + RECORD_TAG_BYTES, 'a frame is written whole');
    rekeyWhenDue(this.#cipher, this.#recordsPerKey);
    if (send(frame)) memory.giveBack(frame);
  }

  destroy(): void {
    this.#cipher.destroy();
  }
}

/** Opens one direction (PROTOCOL §5). */
export class RecordOpener {
  readonly #cipher: CipherState;
  readonly #recordsPerKey: number;

  constructor(cipher: CipherState, recordsPerKey: number = RECORDS_PER_KEY) {
    this.#cipher = cipher;
    this.#recordsPerKey = recordsPerKey;
  }

  /**
   * The plaintext of a frame's payload. May overwrite `sealed`, and the result may alias it. Throws BAD_FRAME when it was
   * not sealed by the other end as this very record.
   */
  open(sealed: Uint8Array): Uint8Array {
    const plaintext = this.#cipher.open(sealed);
    rekeyWhenDue(this.#cipher, this.#recordsPerKey);
    return plaintext;
  }

  destroy(): void {
    this.#cipher.destroy();
  }
}

function rekeyWhenDue(cipher: CipherState, recordsPerKey: number): void {
  if (cipher.nonce % recordsPerKey === 0) cipher.rekey();
}

/** The same bytes in groups of views of `maxBytes` each, the last one shorter. */
function* cutParts(parts: readonly Uint8Array[], maxBytes: number): Generator<readonly Uint8Array[]> {
  let group: Uint8Array[] = [];
  let room = maxBytes;
  for (const part of parts) {
    for (let start = 0; start < part.length; ) {
      const end = Math.min(part.length, start + room);
      group.push(part.subarray(start, end));
      room -= end - start;
      start = end;
      if (room === 0) {
        yield group;
        group = [];
        room = maxBytes;
      }
    }
  }
  if (group.length > 0) yield group;
}
