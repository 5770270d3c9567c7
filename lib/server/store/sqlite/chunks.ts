import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { invariant } from '../../../errors.ts';
import { entryEnd, entryTs, skipEntries } from './entries.ts';

/** Seqs are the lower bits of a chunk's id, the room's number is above: 68 thousand million messages a room. */
const SEQ_BITS = 36;
export const SEQ_MASK = 2 ** SEQ_BITS - 1;

/** SQL for the id of a room's seq, given as two parameters. */
export const ID = `((? << ${SEQ_BITS}) | ?)`;
/** SQL for the seq in an id. */
const SEQ = `(id & ${SEQ_MASK})`;

/**
 * Messages in a row of one room, without what they say. No chunk lies in two blocks: so what is indexed as one is also
 * dropped as one.
 */
export interface ChunkHead {
  readonly first: number;
  readonly last: number;
  readonly firstTs: number;
  readonly lastTs: number;
}

export interface Chunk extends ChunkHead {
  readonly entries: Uint8Array;
}

/** Messages that are indexed as one: the fewer the more precise, the more the cheaper. */
export const BLOCK_MESSAGES = 128;

/** The first seq of the block that holds this one; seqs begin with 1. */
export function blockStart(seq: number): number {
  return seq - ((seq - 1) % BLOCK_MESSAGES);
}

const HEAD = `${SEQ} AS first, last, first_ts AS firstTs, last_ts AS lastTs`;

/** What is asked of the chunks by whoever reads. */
export class ChunkReader {
  readonly #headAt: StatementSync;
  readonly #oldest: StatementSync;
  readonly #at: StatementSync;
  readonly #span: StatementSync;

  constructor(database: DatabaseSync) {
    this.#headAt = database.prepare(
      `SELECT ${HEAD} FROM chunks WHERE id BETWEEN ${ID} AND ${ID} ORDER BY id DESC LIMIT 1`,
    );
    this.#oldest = database.prepare(`SELECT ${HEAD} FROM chunks WHERE id BETWEEN ${ID} AND ${ID} ORDER BY id LIMIT 1`);
    this.#at = database.prepare(
      `SELECT ${HEAD}, entries FROM chunks WHERE id BETWEEN ${ID} AND ${ID} ORDER BY id DESC LIMIT 1`,
    );
    this.#span = database.prepare(`SELECT ${HEAD}, entries FROM chunks WHERE id BETWEEN ${ID} AND ${ID} ORDER BY id`);
  }

  /** The room's last chunk; undefined for a room that nobody ever said anything in. */
  newest(room: number): ChunkHead | undefined {
    return this.headAt(room, SEQ_MASK);
  }

  oldest(room: number): ChunkHead | undefined {
    return this.#oldest.get(room, 0, room, SEQ_MASK) as ChunkHead | undefined;
  }

  /** The chunk that holds this seq, or else the last before it. */
  headAt(room: number, seq: number): ChunkHead | undefined {
    return this.#headAt.get(room, 0, room, seq) as ChunkHead | undefined;
  }

  /** The chunks that hold these seqs, in order. */
  *span(room: number, first: number, last: number): Generator<Chunk> {
    if (first > last) return;
    const start = this.headAt(room, first)?.first ?? first;
    yield* this.#span.iterate(room, start, room, last) as Iterable<unknown> as Iterable<Chunk>;
  }

  /** The first seq from `first` to `last` of a message at or after that time; `last + 1` when all are older. */
  firstSince(room: number, first: number, last: number, sinceMs: number): number {
    let [low, high] = [first, last + 1];
    // Times never go back in a room, so halving finds it. Each look tells of a whole chunk.
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const chunk = this.headAt(room, middle);
      invariant(chunk !== undefined && chunk.last >= middle, `room ${room} has the message ${middle}`);
      if (chunk.lastTs < sinceMs) low = chunk.last + 1;
      else if (chunk.firstTs >= sinceMs) high = Math.max(first, chunk.first);
      else return Math.max(first, this.#firstInChunk(room, chunk, sinceMs));
    }
    return low;
  }

  #firstInChunk(room: number, { first }: ChunkHead, sinceMs: number): number {
    const { entries } = this.#at.get(room, first, room, first) as unknown as Chunk;
    let seq = first;
    for (let at = 0; entryTs(entries, at) < sinceMs; at = entryEnd(entries, at)) seq += 1;
    return seq;
  }
}

/** The entries from seq `first` to seq `last` as far as the chunk has them. */
export function cut({ first: chunkFirst, last: chunkLast, entries }: Chunk, first: number, last: number): Uint8Array {
  const start = first <= chunkFirst ? 0 : skipEntries(entries, first - chunkFirst);
  const rest = entries.subarray(start);
  return last >= chunkLast ? rest : rest.subarray(0, skipEntries(rest, last - Math.max(first, chunkFirst) + 1));
}
