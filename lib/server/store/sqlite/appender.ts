import { type Batch, entryEnd, entryTs, identityOf, setEntryTs, takeAgain, withoutBodies } from './entries.ts';
import type { Journal, Part } from './journal.ts';
import type { IdShelf, KnownIds } from './known-ids.ts';
import type { RoomState, RoomTable } from './rooms.ts';
import type { Settler } from './settler.ts';

/** What was answered, two numbers a message: the seq, less than 0 for a duplicate's, and the time. */
export type Answers = Float64Array<ArrayBuffer>;

export interface AppenderOptions {
  readonly rooms: RoomTable;
  readonly shelf: IdShelf;
  readonly journal: Journal;
  readonly settler: Settler;
  /** Whether what is said is kept at all. */
  readonly keepsBodies: boolean;
  /** Told of a room that has grown. */
  readonly onGrown: (room: RoomState) => void;
}

/** Gives messages their seqs and writes them to the journal. */
export class Appender {
  readonly #options: AppenderOptions;

  constructor(options: AppenderOptions) {
    this.#options = options;
  }

  /** All of the batch or, when it throws, nothing. The batch's bytes are changed. */
  append({ rooms, roomOf, count, entries }: Batch): Answers {
    const { journal, shelf, settler, onGrown } = this.#options;
    const lines = rooms.map((key) => new Line(this.#options, this.#options.rooms.require(key), entries));
    const answers = new Float64Array(count * 2);
    let at = 0;
    for (let i = 0; i < count; i += 1) {
      (lines[roomOf?.[i] ?? 0] as Line).take(at, answers, i * 2);
      at = entryEnd(entries, at);
    }
    const parts = lines.map((line) => line.part());
    const written = parts.filter((part) => part !== undefined);
    try {
      if (written.length > 0) journal.write(written);
    } catch (error) {
      for (const { room } of lines) shelf.drop(room);
      throw error;
    }
    for (const [i, { room }] of lines.entries()) {
      const part = parts[i];
      if (part === undefined) continue;
      settler.note(room, part);
      onGrown(room);
    }
    return answers;
  }
}

/** The messages of one room in one batch. What it gives out is the room's only once that is in the journal. */
class Line {
  readonly room: RoomState;
  readonly #options: AppenderOptions;
  readonly #entries: Uint8Array;
  /** From the first message on that may have been there before. */
  #ids: KnownIds | undefined;
  /** Where the entries stand that were given a seq. */
  readonly #placed: number[] = [];
  #bytes = 0;
  #lastTs: number;

  constructor(options: AppenderOptions, room: RoomState, entries: Uint8Array) {
    this.room = room;
    this.#options = options;
    this.#entries = entries;
    this.#lastTs = room.lastTs;
  }

  get #last(): number {
    return this.room.last + this.#placed.length;
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

  /** What was placed, for the journal; undefined when nothing was. */
  part(): Part | undefined {
    const [start, newest] = [this.#placed[0], this.#placed.at(-1)];
    if (start === undefined || newest === undefined) return undefined;
    const end = entryEnd(this.#entries, newest);
    const inRow = end - start === this.#bytes ? this.#entries.subarray(start, end) : this.#gather();
    const entries = this.#options.keepsBodies ? inRow : withoutBodies(inRow);
    return { room: this.room.id, first: this.room.last + 1, entries };
  }

  #place(at: number): void {
    const ts = entryTs(this.#entries, at);
    if (ts < this.#lastTs) setEntryTs(this.#entries, at, this.#lastTs);
    else this.#lastTs = ts;
    this.#placed.push(at);
    this.#bytes += entryEnd(this.#entries, at) - at;
  }

  #gather(): Uint8Array {
    return Buffer.concat(this.#placed.map((at) => this.#entries.subarray(at, entryEnd(this.#entries, at))));
  }

  #knownIds(): KnownIds {
    const { settler, shelf } = this.#options;
    settler.settle(this.room);
    const ids = shelf.idsOf(this.room);
    for (const [i, at] of this.#placed.entries()) {
      ids.add(identityOf(this.#entries, at), { seq: this.room.last + i + 1, ts: entryTs(this.#entries, at) });
    }
    return ids;
  }
}
