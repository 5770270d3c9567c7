import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Bounds } from '../../hub/ports.ts';
import { ChunkReader } from './chunks.ts';

/** What of a room is kept. */
export interface Keeping {
  readonly keepMessages: number;
  readonly keepMs: number;
}

export interface RoomRow {
  readonly id: number;
  readonly incarnation: string;
  readonly floor: number;
  readonly indexed: number;
}

/** A room and the seqs that its history spans; `last + 1` to `last` when it is empty. */
export interface Span extends RoomRow, Bounds {}

/** Rooms as they are in the file, and what of them counts as kept. */
export class Spans {
  readonly chunks: ChunkReader;
  readonly #row: StatementSync;
  readonly #keeping: Keeping;

  constructor(database: DatabaseSync, keeping: Keeping) {
    this.chunks = new ChunkReader(database);
    this.#keeping = keeping;
    this.#row = database.prepare('SELECT id, incarnation, floor, indexed FROM rooms WHERE key = ?');
  }

  row(key: string): RoomRow | undefined {
    return this.#row.get(key) as RoomRow | undefined;
  }

  find(key: string, nowMs: number): Span | undefined {
    const row = this.row(key);
    if (row === undefined) return undefined;
    const last = this.chunks.newest(row.id)?.last ?? 0;
    return { ...row, last, first: this.firstKept(row, last, nowMs) };
  }

  /** The oldest seq that is among the newest and young enough. */
  firstKept({ id, floor }: Pick<RoomRow, 'id' | 'floor'>, last: number, nowMs: number): number {
    const { keepMessages, keepMs } = this.#keeping;
    return this.chunks.firstSince(id, Math.max(floor, last - keepMessages + 1), last, nowMs - keepMs);
  }
}
