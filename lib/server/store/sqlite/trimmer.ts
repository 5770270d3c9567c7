import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { BLOCK_MESSAGES, blockStart, ID, SEQ_MASK } from './chunks.ts';
import type { Doing } from './database.ts';
import { withoutBodies } from './entries.ts';
import { REMEMBERED_IDS } from './known-ids.ts';
import type { RoomState, RoomTable } from './rooms.ts';
import type { Settler } from './settler.ts';
import type { Spans } from './spans.ts';
import type { WordIndex } from './word-index.ts';

/** What one call takes away at most: a few milliseconds of work. */
const STEP_MESSAGES = 2_048;
const STEP_BLOCKS = 32;
const STEP_CHUNKS = 512;

export interface TrimmerOptions {
  readonly spans: Spans;
  readonly rooms: RoomTable;
  readonly settler: Settler;
  readonly index: WordIndex;
  readonly transaction: Doing;
}

type Indexed = Pick<RoomState, 'id' | 'floor' | 'indexed'>;

/** Takes away what is no longer kept and indexes what is, a step at a time. */
export class Trimmer {
  readonly #options: TrimmerOptions;
  readonly #index: WordIndex;
  readonly #deleteBefore: StatementSync;
  readonly #replace: StatementSync;
  readonly #setFloor: StatementSync;
  readonly #setIndexed: StatementSync;
  readonly #forgotten: StatementSync;
  readonly #deleteSome: StatementSync;
  readonly #deleteRoom: StatementSync;
  /** Until the journal is cleared up to here it holds messages of rooms that were forgotten, by numbers not free yet. */
  #purgeAfter = 0;

  constructor(database: DatabaseSync, options: TrimmerOptions) {
    this.#options = options;
    this.#index = options.index;
    this.#deleteBefore = database.prepare(`DELETE FROM chunks WHERE id >= ${ID} AND id < ${ID}`);
    this.#replace = database.prepare(`UPDATE chunks SET entries = ? WHERE id = ${ID}`);
    this.#setFloor = database.prepare('UPDATE rooms SET floor = ? WHERE id = ?');
    this.#setIndexed = database.prepare('UPDATE rooms SET indexed = ? WHERE id = ?');
    this.#forgotten = database.prepare('SELECT id, floor, indexed FROM rooms WHERE key IS NULL LIMIT 1');
    this.#deleteSome = database.prepare(
      `DELETE FROM chunks WHERE id IN (SELECT id FROM chunks WHERE id BETWEEN ${ID} AND ${ID} LIMIT ?)`,
    );
    this.#deleteRoom = database.prepare('DELETE FROM rooms WHERE id = ?');
  }

  /** Takes away the room's oldest messages that are not kept; true when there are more. */
  trim(room: RoomState, nowMs: number): boolean {
    const { spans, settler, transaction } = this.#options;
    settler.settle(room);
    const goal = this.#chunkStart(room, spans.firstKept(room, room.last, nowMs));
    const floor = Math.max(room.floor, Math.min(goal, this.#chunkStart(room, room.floor + STEP_MESSAGES)));
    const oldest = this.#chunkStart(room, Math.min(floor, room.last - REMEMBERED_IDS + 1));
    transaction(() => {
      this.#index.removeBelow(room, floor);
      this.#deleteBefore.run(room.id, 0, room.id, Math.max(0, oldest));
      // Of what is left below the floor the ids are still needed, to know messages that come again.
      for (const { first, entries } of [...spans.chunks.span(room.id, Math.max(room.floor, oldest), floor - 1)]) {
        this.#replace.run(withoutBodies(entries), room.id, first);
      }
      this.#setFloor.run(floor, room.id);
    });
    room.floor = floor;
    room.oldest = Math.max(room.oldest, oldest);
    return floor < goal;
  }

  /** Adds so many whole blocks to the index, or as many as there are; true when there are more. */
  indexBlocks(room: RoomState, blocks: number): boolean {
    const { spans, settler, transaction } = this.#options;
    settler.settle(room);
    const start = Math.max(room.indexed + 1, blockStart(room.floor));
    const whole = Math.floor((room.last - start + 1) / BLOCK_MESSAGES);
    const end = start + Math.min(blocks, whole) * BLOCK_MESSAGES;
    transaction(() => {
      for (let first = start; first < end; first += BLOCK_MESSAGES) this.#index.add(spans.chunks, room.id, first);
      this.#setIndexed.run(end - 1, room.id);
    });
    room.indexed = end - 1;
    return whole > blocks;
  }

  /** The room has been forgotten: `purge` will take away what it has. */
  queue({ last }: RoomState): void {
    if (last > 0) this.#purgeAfter = this.#options.settler.journal.end;
    this.purge();
  }

  /** Takes away a part of a forgotten room; false when there is none, or none yet. */
  purge(): boolean {
    const { rooms, settler, transaction } = this.#options;
    if (settler.journal.clearedTo < this.#purgeAfter) return false;
    const room = this.#forgotten.get() as Indexed | undefined;
    if (room === undefined) return false;
    if (transaction(() => this.#purgeSome(room))) rooms.recycle(room.id);
    return true;
  }

  /** True when that was all. */
  #purgeSome(room: Indexed): boolean {
    const { id, floor, indexed } = room;
    const end = blockStart(floor) + STEP_BLOCKS * BLOCK_MESSAGES;
    this.#index.removeBelow(room, Math.min(end, indexed + 1));
    if (end <= indexed) {
      this.#setFloor.run(end, id);
      return false;
    }
    if (Number(this.#deleteSome.run(id, 0, id, SEQ_MASK, STEP_CHUNKS).changes) === STEP_CHUNKS) return false;
    this.#deleteRoom.run(id);
    return true;
  }

  /** Where the chunk begins that holds this seq; the end of the room where none does. */
  #chunkStart({ id, last }: RoomState, seq: number): number {
    return seq > last ? last + 1 : (this.#options.spans.chunks.headAt(id, seq)?.first ?? seq);
  }
}
