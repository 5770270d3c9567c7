import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { BLOCK_MESSAGES } from './chunks.ts';
import { REMEMBERED_IDS } from './known-ids.ts';
import type { RecordTable } from './records.ts';
import type { RoomState, RoomTable } from './rooms.ts';
import type { Settler } from './settler.ts';
import type { Keeping, Spans } from './spans.ts';
import type { Trimmer } from './trimmer.ts';
import type { WordIndex } from './word-index.ts';

/** So many more than are kept may lie about before they are taken away. */
const SLACK_MESSAGES = 2 * BLOCK_MESSAGES;

/** What one step does at most: a few milliseconds of work. */
const STEP_BLOCKS = 1;
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
  readonly settler: Settler;
  readonly trimmer: Trimmer;
  readonly index: WordIndex;
  readonly keeping: Keeping;
}

/** What one pass does, by key, from the end. What comes up meanwhile is for the next. */
interface Pass {
  readonly toTrim: string[];
  readonly toIndex: string[];
  readonly isBusy: boolean;
  isSettled: boolean;
  isMerged: boolean;
}

/** Everything that can wait, in passes of steps, between which others are served. */
export class Upkeep {
  readonly #options: UpkeepOptions;
  readonly #page: StatementSync;
  readonly #toTrim = new Set<string>();
  readonly #toIndex = new Set<string>();
  /** Those of them that cannot wait until there is less to do. */
  readonly #mustIndex = new Set<string>();
  #pass: Pass | undefined;
  /** Where the sweep is; undefined between two. */
  #sweptTo: number | undefined;
  #nextSweepMs = 0;

  constructor(database: DatabaseSync, options: UpkeepOptions) {
    this.#options = options;
    this.#page = database.prepare(
      'SELECT id, key, floor FROM rooms WHERE id > ? AND key IS NOT NULL ORDER BY id LIMIT ?',
    );
  }

  /** Notes what the room needs now. */
  look(room: RoomState): void {
    const { key, last, floor, oldest, indexed } = room;
    const { keepMessages } = this.#options.keeping;
    const isTooLong = last - floor >= keepMessages + SLACK_MESSAGES && floor <= last;
    const hasOldIds = last - oldest >= Math.max(keepMessages, REMEMBERED_IDS) + SLACK_MESSAGES;
    if (isTooLong || hasOldIds) this.#toTrim.add(key);
    if (last - indexed >= BLOCK_MESSAGES) this.#toIndex.add(key);
    if (isFarBehind(room)) this.#mustIndex.add(key);
  }

  /** Begins a pass. `isBusy`: the index waits where it can. */
  begin(isBusy: boolean): void {
    const toIndex = isBusy ? this.#mustIndex : this.#toIndex;
    this.#pass = { toTrim: [...this.#toTrim], toIndex: [...toIndex], isBusy, isSettled: false, isMerged: false };
    this.#toTrim.clear();
    for (const key of this.#pass.toIndex) this.#toIndex.delete(key);
    this.#mustIndex.clear();
  }

  /** Does a piece of the pass; true when there is more. */
  step(nowMs: number): boolean {
    const pass = this.#pass;
    if (pass === undefined) return false;
    if (!pass.isSettled) pass.isSettled = !this.#options.settler.step();
    else if (this.#options.trimmer.purge()) return true;
    else if (pass.toTrim.length > 0) this.#trim(pass.toTrim, nowMs);
    else if (pass.toIndex.length > 0) this.#index(pass);
    else if (!pass.isMerged) pass.isMerged = pass.isBusy || !this.#options.index.merge();
    else if (!this.#sweep(nowMs)) this.#pass = undefined;
    return this.#pass !== undefined;
  }

  #trim(keys: string[], nowMs: number): void {
    const { rooms, trimmer } = this.#options;
    const room = rooms.load(keys.at(-1) as string);
    if (room === undefined || !trimmer.trim(room, nowMs)) keys.pop();
  }

  #index({ toIndex, isBusy }: Pass): void {
    const { rooms, trimmer } = this.#options;
    const room = rooms.load(toIndex.at(-1) as string);
    const hasMore = room !== undefined && trimmer.indexBlocks(room, STEP_BLOCKS);
    if (hasMore && !(isBusy && !isFarBehind(room))) return;
    toIndex.pop();
    if (room !== undefined) this.look(room);
  }

  /** Looks for what has become too old where nobody says anything any more; true when it has not come round yet. */
  #sweep(nowMs: number): boolean {
    const { keeping, records, spans } = this.#options;
    if (this.#sweptTo === undefined && nowMs < this.#nextSweepMs) return false;
    this.#nextSweepMs = nowMs + SWEEP_INTERVAL_MS;
    const rows = this.#page.all(this.#sweptTo ?? 0, STEP_ROOMS) as { id: number; key: string; floor: number }[];
    for (const { id, key, floor } of rows) {
      const oldest = spans.chunks.headAt(id, floor);
      const isOld = oldest !== undefined && oldest.last >= floor && oldest.lastTs < nowMs - keeping.keepMs;
      if (isOld) this.#pass?.toTrim.push(key);
    }
    const hasMoreRecords = records.removeExpired(nowMs, STEP_RECORDS);
    this.#sweptTo = rows.length === STEP_ROOMS ? rows.at(-1)?.id : undefined;
    return this.#sweptTo !== undefined || hasMoreRecords || this.#pass?.toTrim.length !== 0;
  }
}

function isFarBehind({ last, floor, indexed }: RoomState): boolean {
  return last - Math.max(indexed, floor) > MOST_UNINDEXED;
}
