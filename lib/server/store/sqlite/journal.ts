import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** Messages in a row of one room, by its number. */
export interface Part {
  readonly room: number;
  readonly first: number;
  readonly entries: Uint8Array;
}

/** room f64 | first seq f64 | size of the entries u32, all big-endian; the entries follow. */
const HEAD_BYTES = 20;

/**
 * What came last, of all rooms, in the order it came. A message in each of many rooms is one write at one place here, and
 * would be as many writes at as many places in the rooms' chunks. Those get it later, several messages at a time.
 */
export class Journal {
  readonly #insert: StatementSync;
  readonly #all: StatementSync;
  readonly #clear: StatementSync;
  /** The newest row. */
  end = 0;

  constructor(database: DatabaseSync) {
    this.#insert = database.prepare('INSERT INTO journal (id, parts) VALUES (?, ?)');
    this.#all = database.prepare('SELECT id, parts FROM journal ORDER BY id');
    this.#clear = database.prepare('DELETE FROM journal WHERE id <= ?');
  }

  write(parts: readonly Part[]): void {
    // Its own numbers: those that SQLite gives begin again when the table is empty.
    this.#insert.run(this.end + 1, encodeParts(parts));
    this.end += 1;
  }

  /** Everything that was not cleared, oldest first. */
  *read(): Generator<Part> {
    const rows = this.#all.iterate() as Iterable<unknown> as Iterable<{ id: number; parts: Uint8Array }>;
    for (const { id, parts } of rows) {
      this.end = id;
      yield* decodeParts(parts);
    }
  }

  /** Removes the rows up to that one. */
  clear(end: number): void {
    this.#clear.run(end);
  }
}

function encodeParts(parts: readonly Part[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { entries }) => sum + HEAD_BYTES + entries.length, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const { room, first, entries } of parts) {
    view.setFloat64(at, room);
    view.setFloat64(at + 8, first);
    view.setUint32(at + 16, entries.length);
    bytes.set(entries, at + HEAD_BYTES);
    at += HEAD_BYTES + entries.length;
  }
  return bytes;
}

function* decodeParts(bytes: Uint8Array): Generator<Part> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length; ) {
    const end = at + HEAD_BYTES + view.getUint32(at + 16);
    const entries = bytes.subarray(at + HEAD_BYTES, end);
    yield { room: view.getFloat64(at), first: view.getFloat64(at + 8), entries };
    at = end;
  }
}
