/** One line, record or whole input. */
export interface Piece {
  /** Counting from 1, empty ones included, as editors and `sed -n` count. */
  readonly number: number;
  /** Without the delimiter; null when it was longer than the limit. Valid until the chunk it came from is reused. */
  readonly bytes: Uint8Array | null;
}

export interface Splitter {
  /** What is being read is over the limit already, whatever comes. */
  readonly isTooLong: boolean;
  push(chunk: Uint8Array): Generator<Piece>;
  /** What was left without a delimiter. */
  end(): Generator<Piece>;
}

/**
 * Cuts a byte stream at `delimiter`; null keeps all of it as one piece. Holds at most `maxBytes` of an unfinished piece:
 * what goes past is thrown away up to the next delimiter and reported as one piece without bytes.
 */
export function createSplitter(delimiter: number | null, maxBytes: number): Splitter {
  let number = 0;
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  let isTooLong = false;

  function hold(part: Uint8Array): void {
    heldBytes += part.length;
    if (heldBytes > maxBytes) {
      isTooLong = true;
      held = [];
    } else if (part.length > 0) held.push(part);
  }

  function take(): Piece {
    number += 1;
    const bytes = isTooLong ? null : held.length === 1 ? (held[0] as Uint8Array) : concat(held, heldBytes);
    held = [];
    heldBytes = 0;
    isTooLong = false;
    return { number, bytes };
  }

  return {
    get isTooLong() {
      return isTooLong;
    },
    *push(chunk) {
      let start = 0;
      for (;;) {
        const at = delimiter === null ? -1 : chunk.indexOf(delimiter, start);
        if (at === -1) break;
        hold(chunk.subarray(start, at));
        yield take();
        start = at + 1;
      }
      // A copy: the rest must outlive a chunk that its stream may reuse.
      hold(chunk.slice(start));
    },
    *end() {
      if (heldBytes > 0) yield take();
    },
  };
}

function concat(parts: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
