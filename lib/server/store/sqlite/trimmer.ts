import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { BLOCK_MESSAGES, blockStart, ID, SEQ_MASK } from './chunks.ts';
import { withoutBodies } from './entries.ts';
import { REMEMBERED_IDS } from './known-ids.ts';
import type { RoomState } from './rooms.ts';
import type { Spans } from './spans.ts';
import { WordIndex } from './word-index.ts';

/** What one call takes away at most: a few milliseconds of work. */
const SLICE_MESSAGES = 2_048;
const SLICE_BLOCKS = 32;
const SLICE_CHUNKS = 512;

/** Takes away what is no longer kept, a slice at a time. Every call is to be made in a transaction of its own. */
export class Trimmer {
  readonly index: WordIndex;
  readonly #spans: Spans;
  readonly #deleteBefore: StatementSync;
  readonly #replace: StatementSync;
  readonly #setFloor: StatementSync;
  readonly #setIndexed: StatementSync;
  readonly #forgotten: StatementSync;
  readonly #deleteSome: StatementSync;
  readonly #deleteRoom: StatementSync;

  constructor(database: DatabaseSync, spans: Spans) {
    this.index = new WordIndex(database);
    this.#spans = spans;
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
    const goal = this.#chunkStart(room, this.#spans.firstKept(room, room.last, nowMs));
    const floor = Math.max(room.floor, Math.min(goal, this.#chunkStart(room, room.floor + SLICE_MESSAGES)));
    const oldest = this.#chunkStart(room, Math.min(floor, room.last - REMEMBERED_IDS + 1));
    this.#unindex(room, floor);
    this.#deleteBefore.run(room.id, 0, room.id, oldest);
    // Of what is left below the floor the ids are still needed, to know messages that come again.
    for (const { first, entries } of [...this.#spans.chunks.span(room.id, Math.max(room.floor, oldest), floor - 1)]) {
      this.#replace.run(withoutBodies(entries), room.id, first);
    }
    this.#setFloor.run(floor, room.id);
    room.floor = floor;
    room.oldest = Math.max(room.oldest, oldest);
    return floor < goal;
  }

  /** Adds whole blocks to the index until `blocks` are added or none is left; true when there are more. */
  indexBlocks(room: RoomState, blocks: number): boolean {
    let next = Math.max(room.indexed + 1, blockStart(room.floor));
    const isWhole = () => next + BLOCK_MESSAGES - 1 <= room.last;
    for (let i = 0; i < blocks && isWhole(); i += 1) {
      this.index.add(this.#spans.chunks, room.id, next);
      next += BLOCK_MESSAGES;
    }
    this.#setIndexed.run(next - 1, room.id);
    room.indexed = next - 1;
    return isWhole();
  }

  /** Takes away a part of a room that was forgotten; false when there is no such room. */
  purge(): boolean {
    const room = this.#forgotten.get() as Pick<RoomState, 'id' | 'floor' | 'indexed'> | undefined;
    if (room === undefined) return false;
    const { id, floor, indexed } = room;
    const above = blockStart(floor) + SLICE_BLOCKS * BLOCK_MESSAGES;
    this.#unindex(room, Math.min(above, indexed + 1));
    if (above <= indexed) this.#setFloor.run(above, id);
    else if (Number(this.#deleteSome.run(id, 0, id, SEQ_MASK, SLICE_CHUNKS).changes) < SLICE_CHUNKS) {
      this.#deleteRoom.run(id);
    }
    return true;
  }

  /** Removes blocks that lie wholly below `end`. */
  #unindex({ id, floor, indexed }: Pick<RoomState, 'id' | 'floor' | 'indexed'>, end: number): void {
    const last = Math.min(end - 1, indexed);
    for (let first = blockStart(floor); first + BLOCK_MESSAGES - 1 <= last; first += BLOCK_MESSAGES) {
      this.index.remove(id, first);
    }
  }

  /** Where the chunk begins that holds this seq; the end of the room where none does. */
  #chunkStart({ id, last }: RoomState, seq: number): number {
    return seq > last ? last + 1 : (this.#spans.chunks.headAt(id, seq)?.first ?? seq);
  }
}
