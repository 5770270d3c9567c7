/** The whole length of the unit that begins at `at`, in bytes, or 0 when too little of it is there to tell. */
type Measure = (bytes: Buffer, at: number) => number;

/** Called with each complete unit; the buffer is only lent. */
type OnUnit = (bytes: Buffer, at: number, length: number) => void;

const EMPTY = Buffer.alloc(0);

/** Enough of a chunk to hold the header of any unit here, so that the length of a split one can be told. */
const HEADER_LOOKAHEAD_BYTES = 256;

/**
 * Cuts a byte stream into the units of a protocol without allocating for each: units are handed out where they lie, and
 * only one that crosses a chunk's end is copied.
 */
export function createUnitReader(measure: Measure, onUnit: OnUnit): (chunk: Buffer) => void {
  let carry = EMPTY;
  const walk = (bytes: Buffer, from: number): void => {
    let at = from;
    while (at < bytes.length) {
      const length = measure(bytes, at);
      if (length === 0 || at + length > bytes.length) break;
      onUnit(bytes, at, length);
      at += length;
    }
    carry = at === bytes.length ? EMPTY : Buffer.from(bytes.subarray(at));
  };
  return (chunk) => {
    if (carry.length === 0) return walk(chunk, 0);
    const head = Buffer.concat([carry, chunk.subarray(0, HEADER_LOOKAHEAD_BYTES)]);
    const length = measure(head, 0);
    const missing = length - carry.length;
    if (length === 0 || missing > chunk.length) return walk(Buffer.concat([carry, chunk]), 0);
    onUnit(Buffer.concat([carry, chunk.subarray(0, missing)]), 0, length);
    walk(chunk, missing);
  };
}
