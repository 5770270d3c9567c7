import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { BLOCK_MESSAGES, blockStart, type Chunk, ID } from './chunks.ts';
import type { Doing } from './database.ts';
import { entryEnd, entryTs, isBlank, skipEntries } from './entries.ts';
import type { Journal, Part } from './journal.ts';
import { REMEMBERED_IDS } from './known-ids.ts';
import type { RoomState } from './rooms.ts';
import type { WordIndex } from './word-index.ts';

/** A chunk of more bytes than this takes no further message. */
const FULL_CHUNK_BYTES = 262_144;

/** What one step settles, a few milliseconds of work. */
const STEP_ROOMS = 32;
const STEP_BYTES = 262_144;

/** Rooms that are still to be settled, and the journal's end when they were all that was unsettled. */
interface Round {
  readonly rooms: RoomState[];
  readonly end: number;
}

export interface SettlerOptions {
  readonly journal: Journal;
  readonly index: WordIndex;
  readonly transaction: Doing;
  readonly lazily: Doing;
  readonly keepMessages: number;
}

/** Brings what only the journal has into the chunks of its rooms. */
export class Settler {
  readonly #options: SettlerOptions;
  readonly #insert: StatementSync;
  readonly #deleteBefore: StatementSync;
  readonly #setFloor: StatementSync;
  readonly #unsettled = new Set<RoomState>();
  #round: Round | undefined;
  #clearedTo = 0;

  constructor(database: DatabaseSync, options: SettlerOptions) {
    this.#options = options;
    this.#insert = database.prepare(`INSERT INTO chunks VALUES (${ID}, ?, ?, ?, ?)`);
    this.#deleteBefore = database.prepare(`DELETE FROM chunks WHERE id >= ${ID} AND id < ${ID}`);
    this.#setFloor = database.prepare('UPDATE rooms SET floor = ? WHERE id = ?');
  }

  /** The newest row of the journal, and up to which row nothing is there any more. */
  get journal(): { readonly end: number; readonly clearedTo: number } {
    return { end: this.#options.journal.end, clearedTo: this.#clearedTo };
  }

  /** The journal has these messages of the room, which follow its last one. */
  note(room: RoomState, part: Part): void {
    const { entries } = part;
    room.last = part.first - 1;
    for (let at = 0; at < entries.length; at = entryEnd(entries, at)) {
      room.last += 1;
      room.lastTs = entryTs(entries, at);
    }
    room.unsettled.push(part);
    this.#unsettled.add(room);
  }

  /** Afterwards the room's chunks have all its messages. */
  settle(room: RoomState): void {
    if (room.unsettled.length > 0) this.#settleAll([room]);
  }

  /** Settles some rooms, and clears the journal once all are settled that were not when it began; true until then. */
  step(): boolean {
    this.#round ??= { rooms: [...this.#unsettled], end: this.#options.journal.end };
    const { rooms, end } = this.#round;
    this.#settleAll(someOf(rooms));
    if (rooms.length > 0) return true;
    if (end > this.#clearedTo) this.#options.journal.clear(end);
    this.#clearedTo = end;
    this.#round = undefined;
    return false;
  }

  /** Afterwards the chunks have everything and the journal has nothing. */
  settleEverything(): void {
    // A round that is under way knows nothing of what came since it began.
    while (this.step());
    while (this.step());
  }

  /** The room is no more. */
  drop(room: RoomState): void {
    room.unsettled = [];
    this.#unsettled.delete(room);
  }

  #settleAll(rooms: readonly RoomState[]): void {
    if (rooms.length === 0) return;
    const { lazily, transaction } = this.#options;
    const changes = lazily(() => transaction(() => rooms.map((room) => this.#write(room))));
    for (const [i, room] of rooms.entries()) {
      Object.assign(room, changes[i]);
      this.drop(room);
    }
  }

  /** Returns what is new of the room once that is committed. */
  #write(room: RoomState): Pick<RoomState, 'floor' | 'oldest'> {
    const { id, last, unsettled } = room;
    const parts = this.#needed(room);
    let { floor, oldest } = room;
    if (parts.length < unsettled.length) {
      floor = parts[0]?.first ?? last + 1;
      oldest = floor;
      this.#options.index.removeBelow(room, floor);
      this.#deleteBefore.run(id, 0, id, floor);
    }
    for (const chunk of chunksOf(parts)) {
      this.#insert.run(id, chunk.first, chunk.last, chunk.firstTs, chunk.lastTs, chunk.entries);
    }
    // A server that keeps nothing writes no bodies at all; what came before it did not may lie before.
    const lastBlank = parts.findLastIndex(({ entries }) => isBlank(entries, 0));
    if (lastBlank >= 0) floor = parts[lastBlank + 1]?.first ?? last + 1;
    if (floor > room.floor) this.#setFloor.run(floor, id);
    return { floor, oldest };
  }

  /** Where more came than is kept, the older of it goes nowhere, and nor does what was there before it. */
  #needed({ unsettled, last }: RoomState): readonly Part[] {
    const oldest = last - Math.max(this.#options.keepMessages, REMEMBERED_IDS) + 1;
    const start = unsettled.findLastIndex(({ first }) => first <= oldest);
    return start > 0 ? unsettled.slice(start) : unsettled;
  }
}

/** The messages as chunks: each within its block, and each but the last of a block as large as may be. */
function* chunksOf(parts: readonly Part[]): Generator<Chunk> {
  let first = parts[0]?.first ?? 1;
  let last = first - 1;
  let bytes = 0;
  let pieces: Uint8Array[] = [];
  for (const { entries } of parts) {
    let start = 0;
    for (let at = 0; at < entries.length; ) {
      const end = entryEnd(entries, at);
      bytes += end - at;
      last += 1;
      at = end;
      if (last < blockStart(first) + BLOCK_MESSAGES - 1 && bytes < FULL_CHUNK_BYTES) continue;
      yield chunkOf(first, last, [...pieces, entries.subarray(start, end)]);
      [first, bytes, pieces, start] = [last + 1, 0, [], end];
    }
    if (start < entries.length) pieces.push(entries.subarray(start));
  }
  if (pieces.length > 0) yield chunkOf(first, last, pieces);
}

function chunkOf(first: number, last: number, pieces: readonly Uint8Array[]): Chunk {
  const entries = pieces.length === 1 ? (pieces[0] as Uint8Array) : Buffer.concat(pieces);
  const newest = skipEntries(entries, last - first);
  return { first, last, firstTs: entryTs(entries, 0), lastTs: entryTs(entries, newest), entries };
}

/** Takes as many rooms from the list as make one step. */
function someOf(rooms: RoomState[]): RoomState[] {
  const some: RoomState[] = [];
  let bytes = 0;
  while (some.length < STEP_ROOMS && bytes < STEP_BYTES) {
    const room = rooms.pop();
    if (room === undefined) break;
    bytes += room.unsettled.reduce((sum, { entries }) => sum + entries.length, 0);
    if (room.unsettled.length > 0) some.push(room);
  }
  return some;
}
