/** The whole length of the unit that begins at `at`, in bytes, or 0 when too little of it is there to tell. */
type Measure = (bytes: Buffer, at: number) => number;

/** Called with each complete unit; the buffer is only lent. */
type OnUnit = (bytes: Buffer, at: number, length: number) => void;

/** Enough of a chunk to tell the length of a unit that was split anywhere in its header. */
const HEADER_LOOKAHEAD_BYTES = 512;

/**
 * Cuts a byte stream into the units of a protocol without allocating for each: units are handed out where they lie, and
 * only one that crosses a chunk's end is copied, once, into memory that stays.
 */
export function createUnitReader(measure: Measure, onUnit: OnUnit): (chunk: Buffer) => void {
  let held = Buffer.alloc(0);
  let heldBytes = 0;

  const hold = (chunk: Buffer, from: number, to: number, at: number): void => {
    const end = at + to - from;
    if (end > held.length) {
      const grown = Buffer.allocUnsafeSlow(end * 2);
      held.copy(grown, 0, 0, at);
      held = grown;
    }
    chunk.copy(held, at, from, to);
  };

  /** Adds to the split unit and hands it out when it is whole; returns where the chunk goes on. */
  const finishHeld = (chunk: Buffer): number => {
    const lookahead = Math.min(chunk.length, HEADER_LOOKAHEAD_BYTES);
    hold(chunk, 0, lookahead, heldBytes);
    const length = measure(held.subarray(0, heldBytes + lookahead), 0);
    const missing = length === 0 ? Number.POSITIVE_INFINITY : length - heldBytes;
    const taken = Math.min(missing, chunk.length);
    if (taken > lookahead) hold(chunk, lookahead, taken, heldBytes + lookahead);
    heldBytes += taken;
    if (taken < missing) return chunk.length;
    heldBytes = 0;
    onUnit(held, 0, length);
    return taken;
  };

  return (chunk) => {
    let at = heldBytes > 0 ? finishHeld(chunk) : 0;
    while (at < chunk.length) {
      const length = measure(chunk, at);
      if (length === 0 || at + length > chunk.length) break;
      onUnit(chunk, at, length);
      at += length;
    }
    if (at === chunk.length) return;
    hold(chunk, at, chunk.length, 0);
    heldBytes = chunk.length - at;
  };
}
