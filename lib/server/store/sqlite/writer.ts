import type { Bounds, ListQuery, PutOptions, RecordKind, StoredRecord } from '../../hub/ports.ts';
import { type Answers, Appender } from './appender.ts';
import { createTransaction, lockStore, openForWriting } from './database.ts';
import type { Batch } from './entries.ts';
import { IdShelf } from './known-ids.ts';
import { RecordTable } from './records.ts';
import { RoomTable } from './rooms.ts';
import { type Keeping, Spans } from './spans.ts';
import { Upkeep } from './upkeep.ts';

export interface FileOptions extends Keeping {
  readonly path: string;
  /** Whether a commit waits for the disk itself. */
  readonly isSynced: boolean;
}

/** What the thread that writes can be asked. Each call is whole by itself and durable when it returns. */
export interface WriterCalls {
  open(room: string, nowMs: number): Bounds;
  append(batch: Batch): Answers;
  retain(room: string, isRetained: boolean): void;
  forget(room: string): void;
  get(kind: RecordKind, key: string, nowMs: number): StoredRecord | null;
  put(kind: RecordKind, key: string, json: string, options: PutOptions, nowMs: number): number | null;
  remove(kind: RecordKind, key: string, over: number | undefined, nowMs: number): boolean;
  list(kind: RecordKind, query: ListQuery, nowMs: number): readonly StoredRecord[];
  upkeep(nowMs: number, isBusy: boolean): boolean;
  forgetOrphans(): boolean;
  close(): void;
}

/** Takes the file for this process. Throws CONFIG when it cannot be used. */
export function openWriter({ path, isSynced, ...keeping }: FileOptions): WriterCalls {
  const lock = lockStore(path);
  const database = openForWriting(path, isSynced);
  const transaction = createTransaction(database);
  const spans = new Spans(database, keeping);
  const rooms = new RoomTable(database, spans);
  const shelf = new IdShelf(spans.chunks);
  const records = new RecordTable(database, transaction);
  const upkeep = new Upkeep(database, { rooms, records, spans, keeping, transaction });
  const keepsBodies = keeping.keepMessages > 0;
  const onGrown = upkeep.look.bind(upkeep);
  const appender = new Appender(database, { rooms, shelf, transaction, keepsBodies, onGrown });
  return {
    open(room, nowMs) {
      const bounds = rooms.open(room, nowMs);
      upkeep.look(rooms.require(room));
      return bounds;
    },
    append: (batch) => appender.append(batch),
    retain: (room, isRetained) => rooms.retain(room, isRetained),
    forget(room) {
      const state = rooms.find(room);
      if (state === undefined) return;
      shelf.drop(state);
      upkeep.forget(room);
    },
    get: (kind, key, nowMs) => records.get(kind, key, nowMs),
    put: (kind, key, json, options, nowMs) => records.put(kind, key, json, options, nowMs),
    remove: (kind, key, over, nowMs) => records.remove(kind, key, over, nowMs),
    list: (kind, query, nowMs) => records.list(kind, query, nowMs),
    upkeep: (nowMs, isBusy) => upkeep.step(nowMs, isBusy),
    forgetOrphans: () => upkeep.forgetOrphans(),
    close() {
      database.close();
      lock.close();
    },
  };
}
