import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { BLOCK_MESSAGES, blockStart, type Chunk, ID } from './chunks.ts';
import { type Batch, entryEnd, entryTs, identityOf, setEntryTs, takeAgain, withoutBodies } from './entries.ts';
import type { IdShelf, KnownIds } from './known-ids.ts';
import type { RoomState, RoomTable } from './rooms.ts';

/** A chunk of more bytes than this takes no further message. */
const FULL_CHUNK_BYTES = 262_144;

/** What was answered, two numbers a message: the seq, less than 0 for a duplicate's, and the time. */
export type Answers = Float64Array<ArrayBuffer>;

export interface AppenderOptions {
  readonly rooms: RoomTable;
  readonly shelf: IdShelf;
  readonly transaction: <T>(work: () => T) => T;
  /** Whether what is said is kept at all. */
  readonly keepsBodies: boolean;
  /** Told of a room that has grown. */
  readonly onGrown: (room: RoomState) => void;
}

/** Gives messages their seqs and writes them, all messages of a room in a row as one chunk. */
export class Appender {
  readonly #options: AppenderOptions;
  readonly #insert: StatementSync;
  readonly #raiseFloor: StatementSync;

  constructor(database: DatabaseSync, options: AppenderOptions) {
    this.#options = options;
    this.#insert = database.prepare(`INSERT INTO chunks VALUES (${ID}, ?, ?, ?, ?)`);
    this.#raiseFloor = database.prepare('UPDATE rooms SET floor = ? WHERE id = ?');
  }

  /** All of the batch or, when it throws, nothing. The batch's bytes are changed. */
  append({ rooms, roomOf, count, entries }: Batch): Answers {
    const lines = rooms.map((key) => new Line(this.#options.rooms.require(key), entries, this.#options.shelf));
    const answers = new Float64Array(count * 2);
    try {
      this.#options.transaction(() => {
        let at = 0;
        for (let i = 0; i < count; i += 1) {
          const line = lines[roomOf?.[i] ?? 0] as Line;
          line.take(at, answers, i * 2);
          if (line.isFull) this.#write(line);
          at = entryEnd(entries, at);
        }
        for (const line of lines) this.#write(line);
      });
    } catch (error) {
      for (const { room } of lines) this.#options.shelf.drop(room);
      throw error;
    }
    for (const line of lines) {
      line.settle();
      this.#options.onGrown(line.room);
    }
    return answers;
  }

  #write(line: Line): void {
    const chunk = line.cut();
    if (chunk === undefined) return;
    const { first, last, firstTs, lastTs } = chunk;
    const { keepsBodies } = this.#options;
    const bytes = keepsBodies ? chunk.entries : withoutBodies(chunk.entries);
    this.#insert.run(line.room.id, first, last, firstTs, lastTs, bytes);
    if (!keepsBodies) this.#raiseFloor.run(last + 1, line.room.id);
  }
}

/** The messages of one room in one batch. What it gives out is the room's only once `settle` is called. */
class Line {
  readonly room: RoomState;
  readonly #entries: Uint8Array;
  readonly #shelf: IdShelf;
  /** From the first message on that may have been there before. */
  #ids: KnownIds | undefined;
  /** Where the entries that were given a seq stand. */
  readonly #placed: number[] = [];
  /** How many of them were cut off as chunks. */
  #cut = 0;
  #bytes = 0;
  #lastTs: number;

  constructor(room: RoomState, entries: Uint8Array, shelf: IdShelf) {
    this.room = room;
    this.#entries = entries;
    this.#shelf = shelf;
    this.#lastTs = room.lastTs;
  }

  get #last(): number {
    return this.room.last + this.#placed.length;
  }

  get isFull(): boolean {
    const first = this.room.last + this.#cut + 1;
    return this.#last >= blockStart(first) + BLOCK_MESSAGES - 1 || this.#bytes >= FULL_CHUNK_BYTES;
  }

  /** Takes the entry at `at` and writes its seq and time to `answers`. */
  take(at: number, answers: Answers, place: number): void {
    const isAgain = takeAgain(this.#entries, at);
    if (isAgain) this.#ids ??= this.#knownIds();
    const identity = this.#ids === undefined ? '' : identityOf(this.#entries, at);
    const known = isAgain ? this.#ids?.find(identity) : undefined;
    if (known === undefined) {
      this.#place(at);
      this.#ids?.add(identity, { seq: this.#last, ts: this.#lastTs });
    }
    answers[place] = known === undefined ? this.#last : -known.seq;
    answers[place + 1] = known?.ts ?? this.#lastTs;
  }

  /** What was placed since the last cut as a chunk; undefined when nothing was. */
  cut(): Chunk | undefined {
    const placed = this.#placed.slice(this.#cut);
    const [start, newest] = [placed[0], placed.at(-1)];
    if (start === undefined || newest === undefined) return undefined;
    const first = this.room.last + this.#cut + 1;
    const end = entryEnd(this.#entries, newest);
    const entries = end - start === this.#bytes ? this.#entries.subarray(start, end) : this.#gather(placed);
    this.#cut = this.#placed.length;
    this.#bytes = 0;
    return { first, last: this.#last, firstTs: entryTs(entries, 0), lastTs: this.#lastTs, entries };
  }

  settle(): void {
    this.room.last = this.#last;
    this.room.lastTs = this.#lastTs;
  }

  #place(at: number): void {
    const ts = entryTs(this.#entries, at);
    if (ts < this.#lastTs) setEntryTs(this.#entries, at, this.#lastTs);
    else this.#lastTs = ts;
    this.#placed.push(at);
    this.#bytes += entryEnd(this.#entries, at) - at;
  }

  #gather(placed: readonly number[]): Uint8Array {
    return Buffer.concat(placed.map((at) => this.#entries.subarray(at, entryEnd(this.#entries, at))));
  }

  #knownIds(): KnownIds {
    const ids = this.#shelf.idsOf(this.room);
    for (const [i, at] of this.#placed.entries()) {
      ids.add(identityOf(this.#entries, at), { seq: this.room.last + i + 1, ts: entryTs(this.#entries, at) });
    }
    return ids;
  }
}
