import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { BcastError } from '../../../errors.ts';
import type { Part } from './journal.ts';
import type { KnownIds } from './known-ids.ts';
import type { RoomRow, Spans } from './spans.ts';

/** A room as the writing thread knows it. */
export interface RoomState extends RoomRow {
  readonly key: string;
  floor: number;
  indexed: number;
  last: number;
  lastTs: number;
  /** The seq with which the oldest chunk begins that is still there, as ids or as messages. */
  oldest: number;
  /** What only the journal has of it, oldest first; the chunks have all messages before. */
  unsettled: Part[];
  /** Opened since this process began, so the hub will say what becomes of it. */
  isOpened: boolean;
  ids: KnownIds | undefined;
}

/** The rooms of the file; those in use are remembered with their newest seq. */
export class RoomTable {
  readonly #states = new Map<string, RoomState>();
  /** Numbers that were given and came back: they do not grow without end where rooms come and go. */
  readonly #free: number[] = [];
  readonly #spans: Spans;
  readonly #insert: StatementSync;
  readonly #retain: StatementSync;
  readonly #keyOf: StatementSync;

  constructor(database: DatabaseSync, spans: Spans) {
    this.#spans = spans;
    this.#insert = database.prepare(
      'INSERT INTO rooms (id, key, incarnation) VALUES (?, ?, lower(hex(randomblob(8))))',
    );
    this.#keyOf = database.prepare('SELECT key FROM rooms WHERE id = ?');
    this.#retain = database.prepare('UPDATE rooms SET is_retained = ? WHERE key = ?');
  }

  open(key: string): RoomState {
    let state = this.find(key);
    if (state === undefined) {
      this.#insert.run(this.#free.pop() ?? null, key);
      state = this.require(key);
    }
    state.isOpened = true;
    return state;
  }

  find(key: string): RoomState | undefined {
    const state = this.load(key);
    if (state !== undefined) this.#states.set(key, state);
    return state;
  }

  /** As `find`, but a room that is not in use is not remembered either. */
  load(key: string): RoomState | undefined {
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    const row = this.#spans.row(key);
    if (row === undefined) return undefined;
    const { last = 0, lastTs = 0 } = this.#spans.chunks.newest(row.id) ?? {};
    const oldest = this.#spans.chunks.oldest(row.id)?.first ?? 1;
    return { ...row, key, last, lastTs, oldest, unsettled: [], isOpened: false, ids: undefined };
  }

  /** The room of that number, unless it was forgotten. */
  byNumber(id: number): RoomState | undefined {
    const key = this.#keyOf.get(id)?.['key'];
    return typeof key === 'string' ? this.find(key) : undefined;
  }

  /** Throws INTERNAL for a room that is not there. */
  require(key: string): RoomState {
    const state = this.find(key);
    if (state === undefined) throw new BcastError('INTERNAL', { cause: new Error(`room ${key} is not open`) });
    return state;
  }

  retain(key: string, isRetained: boolean): void {
    this.#retain.run(isRetained ? 1 : 0, key);
  }

  /** Nothing of the room of that number is left. */
  recycle(id: number): void {
    this.#free.push(id);
  }

  drop(key: string): void {
    this.#states.delete(key);
  }

  /** Remembers no room any more; none may be open or unsettled. */
  dropAll(): void {
    this.#states.clear();
  }
}
