import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Doing } from './database.ts';
import type { IdShelf } from './known-ids.ts';
import type { RecordTable } from './records.ts';
import type { RoomTable } from './rooms.ts';
import type { Settler } from './settler.ts';
import type { Trimmer } from './trimmer.ts';

/** Rooms looked at in one step. */
const STEP_ROOMS = 64;

export interface ForgetterOptions {
  readonly rooms: RoomTable;
  readonly records: RecordTable;
  readonly shelf: IdShelf;
  readonly settler: Settler;
  readonly trimmer: Trimmer;
  readonly transaction: Doing;
}

/** Forgets rooms: because the hub says so, or because it died before it could. */
export class Forgetter {
  readonly #options: ForgetterOptions;
  readonly #unname: StatementSync;
  readonly #orphans: StatementSync;
  /** Rooms that were there when this process began have numbers up to this. */
  readonly #lastOldRoom: number;
  #nextOrphan = 0;

  constructor(database: DatabaseSync, options: ForgetterOptions) {
    this.#options = options;
    this.#unname = database.prepare('UPDATE rooms SET key = NULL WHERE key = ?');
    this.#orphans = database.prepare(
      'SELECT id, key FROM rooms WHERE id > ? AND id <= ? AND key IS NOT NULL AND is_retained = 0 ORDER BY id LIMIT ?',
    );
    this.#lastOldRoom = Number(database.prepare('SELECT max(id) AS id FROM rooms').get()?.['id'] ?? 0);
  }

  /** The room is no longer there when this returns. Of a large one the bytes go later, in steps. */
  forget(key: string): void {
    const { transaction, records, rooms, shelf, settler, trimmer } = this.#options;
    const room = rooms.load(key);
    if (room === undefined) return;
    transaction(() => {
      this.#unname.run(key);
      records.forgetRoom(key);
    });
    rooms.drop(key);
    shelf.drop(room);
    settler.drop(room);
    trimmer.queue(room);
  }

  /** Forgets some of the rooms that outlived the last process and that nobody has opened since; true when there are more. */
  forgetOrphans(): boolean {
    const rows = this.#orphans.all(this.#nextOrphan, this.#lastOldRoom, STEP_ROOMS) as { id: number; key: string }[];
    for (const { key } of rows) {
      if (this.#options.rooms.load(key)?.isOpened === false) this.forget(key);
    }
    this.#nextOrphan = rows.at(-1)?.id ?? this.#nextOrphan;
    return rows.length === STEP_ROOMS;
  }
}
