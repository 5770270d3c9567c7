import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { BLOCK_MESSAGES } from './chunks.ts';
import { REMEMBERED_IDS } from './known-ids.ts';
import type { RecordTable } from './records.ts';
import type { RoomState, RoomTable } from './rooms.ts';
import type { Keeping, Spans } from './spans.ts';
import { Trimmer } from './trimmer.ts';

/** So many more than are kept may lie about before they are taken away. */
const SLACK_MESSAGES = 2 * BLOCK_MESSAGES;

/** What one step does at most: a few milliseconds of work. */
const STEP_BLOCKS = 4;
const STEP_ROOMS = 256;
const STEP_RECORDS = 256;

/** Under load the index waits until a room has so many messages that are not in it; a search reads through those. */
const MOST_UNINDEXED = 8_192;

/** How often all rooms are looked through for messages that have become too old, in milliseconds. */
const SWEEP_INTERVAL_MS = 600_000;

export interface UpkeepOptions {
  readonly rooms: RoomTable;
  readonly records: RecordTable;
  readonly spans: Spans;
  readonly keeping: Keeping;
  readonly transaction: <T>(work: () => T) => T;
}

/** Everything that can wait: taking away what is not kept, indexing what is. In steps, between which others are served. */
export class Upkeep {
  readonly #options: UpkeepOptions;
  readonly #trimmer: Trimmer;
  readonly #page: StatementSync;
  readonly #orphans: StatementSync;
  readonly #unname: StatementSync;
  readonly #toTrim = new Set<string>();
  readonly #toIndex = new Set<string>();
  /** Those of them that cannot wait until there is less to do. */
  readonly #mustIndex = new Set<string>();
  /** Rooms that were there when this process began. */
  readonly #lastOldRoom: number;
  #nextOrphan = 0;
  /** Where the sweep is; undefined between two. */
  #sweptTo: number | undefined;
  #nextSweepMs = 0;

  constructor(database: DatabaseSync, options: UpkeepOptions) {
    this.#options = options;
    this.#trimmer = new Trimmer(database, options.spans);
    this.#page = database.prepare(
      'SELECT id, key, floor FROM rooms WHERE id > ? AND key IS NOT NULL ORDER BY id LIMIT ?',
    );
    this.#orphans = database.prepare(
      'SELECT id, key FROM rooms WHERE id > ? AND id <= ? AND key IS NOT NULL AND is_retained = 0 ORDER BY id LIMIT ?',
    );
    this.#unname = database.prepare('UPDATE rooms SET key = NULL WHERE key = ?');
    this.#lastOldRoom = Number(database.prepare('SELECT max(id) AS id FROM rooms').get()?.['id'] ?? 0);
  }

  /** Notes what the room needs now. */
  look({ key, last, floor, oldest, indexed }: RoomState): void {
    const { keepMessages } = this.#options.keeping;
    const isTooLong = last - floor >= keepMessages + SLACK_MESSAGES && floor <= last;
    const hasOldIds = last - oldest >= Math.max(keepMessages, REMEMBERED_IDS) + SLACK_MESSAGES;
    if (isTooLong || hasOldIds) this.#toTrim.add(key);
    if (last - indexed >= BLOCK_MESSAGES) this.#toIndex.add(key);
    if (isFarBehind({ last, floor, indexed })) this.#mustIndex.add(key);
  }

  /** The room is no longer there when this returns; its bytes go in the steps that follow. */
  forget(key: string): void {
    const { transaction, records, rooms } = this.#options;
    transaction(() => {
      this.#unname.run(key);
      records.forgetRoom(key);
      // The usual room is small and goes at once.
      this.#trimmer.purge();
    });
    rooms.drop(key);
  }

  /** Forgets some of the rooms that outlived the last process and that nobody has opened since; true when there are more. */
  forgetOrphans(): boolean {
    const rows = this.#orphans.all(this.#nextOrphan, this.#lastOldRoom, STEP_ROOMS) as { id: number; key: string }[];
    for (const { key } of rows) {
      if (this.#options.rooms.find(key)?.isOpened === false) this.forget(key);
    }
    this.#nextOrphan = rows.at(-1)?.id ?? this.#nextOrphan;
    return rows.length === STEP_ROOMS;
  }

  /** Does a piece of what is to be done; true when there is more. */
  step(nowMs: number, isBusy: boolean): boolean {
    const { transaction } = this.#options;
    return transaction(
      () => this.#trimmer.purge() || this.#trimOne(nowMs) || this.#indexOne(isBusy) || this.#sweep(nowMs),
    );
  }

  #trimOne(nowMs: number): boolean {
    const [key] = this.#toTrim;
    if (key === undefined) return false;
    const room = this.#options.rooms.load(key);
    if (room === undefined || !this.#trimmer.trim(room, nowMs)) this.#toTrim.delete(key);
    return true;
  }

  #indexOne(isBusy: boolean): boolean {
    const [key] = isBusy ? this.#mustIndex : this.#toIndex;
    if (key === undefined) return false;
    const room = this.#options.rooms.load(key);
    const hasMore = room !== undefined && this.#trimmer.indexBlocks(room, STEP_BLOCKS);
    if (!hasMore) this.#toIndex.delete(key);
    if (!hasMore || !isFarBehind(room)) this.#mustIndex.delete(key);
    return true;
  }

  /** Looks for what has become too old where nobody says anything any more. */
  #sweep(nowMs: number): boolean {
    const { keeping, records, spans } = this.#options;
    if (this.#sweptTo === undefined && nowMs < this.#nextSweepMs) return false;
    this.#nextSweepMs = nowMs + SWEEP_INTERVAL_MS;
    const rows = this.#page.all(this.#sweptTo ?? 0, STEP_ROOMS) as { id: number; key: string; floor: number }[];
    for (const { id, key, floor } of rows) {
      const oldest = spans.chunks.headAt(id, floor);
      if (oldest !== undefined && oldest.last >= floor && oldest.lastTs < nowMs - keeping.keepMs) this.#toTrim.add(key);
    }
    const hasMoreRecords = records.removeExpired(nowMs, STEP_RECORDS);
    this.#sweptTo = rows.length === STEP_ROOMS ? rows.at(-1)?.id : undefined;
    return this.#sweptTo !== undefined || hasMoreRecords || this.#toTrim.size > 0;
  }
}

function isFarBehind({ last, floor, indexed }: Pick<RoomState, 'last' | 'floor' | 'indexed'>): boolean {
  return last - Math.max(indexed, floor) > MOST_UNINDEXED;
}
