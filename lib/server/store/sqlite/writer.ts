import type { DatabaseSync } from 'node:sqlite';
import type { Bounds, ListQuery, PutOptions, RecordKind, StoredRecord } from '../../hub/ports.ts';
import { type Answers, Appender } from './appender.ts';
import { createLazily, createTransaction, lockStore, openForWriting } from './database.ts';
import type { Batch } from './entries.ts';
import { Forgetter } from './forgetter.ts';
import { Journal } from './journal.ts';
import { IdShelf } from './known-ids.ts';
import { RecordTable } from './records.ts';
import { RoomTable } from './rooms.ts';
import { Settler } from './settler.ts';
import { type Keeping, Spans } from './spans.ts';
import { Trimmer } from './trimmer.ts';
import { Upkeep } from './upkeep.ts';
import { WordIndex } from './word-index.ts';

export interface FileOptions extends Keeping {
  readonly path: string;
  /** Whether a commit waits for the disk itself. */
  readonly isSynced: boolean;
}

/** What the thread that writes can be asked. Each call is whole by itself and durable when it returns. */
export interface WriterCalls {
  open(room: string, nowMs: number): Bounds;
  append(batch: Batch): Answers;
  /** Afterwards the thread that reads sees all of the room. */
  settle(room: string): void;
  retain(room: string, isRetained: boolean): void;
  /** Nobody needs the room for now. */
  release(room: string): void;
  forget(room: string): void;
  get(kind: RecordKind, key: string, nowMs: number): StoredRecord | null;
  put(kind: RecordKind, key: string, json: string, options: PutOptions, nowMs: number): number | null;
  remove(kind: RecordKind, key: string, over: number | undefined, nowMs: number): boolean;
  list(kind: RecordKind, query: ListQuery, nowMs: number): readonly StoredRecord[];
  beginUpkeep(isBusy: boolean): void;
  /** A step of it; true when there is more. */
  upkeep(nowMs: number): boolean;
  forgetOrphans(): boolean;
  close(): void;
}

/**
 * Takes the file for this process, and first brings it in order if the last one was killed. Throws CONFIG when it cannot be
 * used. `onOpen` is given the connection, which tests spoil.
 */
export function openWriter(options: FileOptions, onOpen?: (database: DatabaseSync) => void): WriterCalls {
  const { path, isSynced } = options;
  const lock = lockStore(path);
  let database: DatabaseSync | undefined;
  const close = (): void => {
    database?.close();
    lock.close();
  };
  try {
    database = openForWriting(path, isSynced);
    onOpen?.(database);
    return createWriter(database, options, close);
  } catch (error) {
    close();
    throw error;
  }
}

function createWriter(database: DatabaseSync, options: FileOptions, closeFile: () => void): WriterCalls {
  const { isSynced, keepMessages, keepMs } = options;
  const keeping: Keeping = { keepMessages, keepMs };
  const transaction = createTransaction(database);
  const lazily = createLazily(database, isSynced);
  const spans = new Spans(database, keeping);
  const rooms = new RoomTable(database, spans);
  const shelf = new IdShelf(spans.chunks);
  const records = new RecordTable(database, transaction);
  const journal = new Journal(database);
  const index = new WordIndex(database);
  const settler = new Settler(database, { journal, index, transaction, lazily, keepMessages: keeping.keepMessages });
  recover(journal, rooms, settler);
  const trimmer = new Trimmer(database, { spans, rooms, settler, index, transaction });
  const upkeep = new Upkeep(database, { rooms, records, spans, settler, trimmer, index, keeping });
  const forgetter = new Forgetter(database, { rooms, records, shelf, settler, trimmer, transaction });
  const keepsBodies = keeping.keepMessages > 0;
  const onGrown = upkeep.look.bind(upkeep);
  const appender = new Appender({ rooms, shelf, journal, settler, keepsBodies, onGrown });
  return {
    open(key, nowMs) {
      const room = rooms.open(key);
      upkeep.look(room);
      settler.settle(room);
      const { incarnation, last } = room;
      return { incarnation, last, first: spans.firstKept(room, last, nowMs) };
    },
    append: (batch) => appender.append(batch),
    settle(key) {
      const room = rooms.find(key);
      if (room !== undefined) settler.settle(room);
    },
    retain: (room, isRetained) => rooms.retain(room, isRetained),
    release(key) {
      const room = rooms.find(key);
      if (room === undefined) return;
      settler.settle(room);
      shelf.drop(room);
      rooms.drop(key);
    },
    forget: (room) => forgetter.forget(room),
    get: (kind, key, nowMs) => records.get(kind, key, nowMs),
    put: (kind, key, json, options, nowMs) => records.put(kind, key, json, options, nowMs),
    remove: (kind, key, over, nowMs) => records.remove(kind, key, over, nowMs),
    list: (kind, query, nowMs) => records.list(kind, query, nowMs),
    beginUpkeep: (isBusy) => upkeep.begin(isBusy),
    upkeep: (nowMs) => lazily(() => upkeep.step(nowMs)),
    forgetOrphans: () => forgetter.forgetOrphans(),
    close() {
      try {
        settler.settleEverything();
      } finally {
        closeFile();
      }
    },
  };
}

/** Settles what the last process wrote to the journal and not to the chunks. */
function recover(journal: Journal, rooms: RoomTable, settler: Settler): void {
  for (const part of journal.read()) {
    const room = rooms.byNumber(part.room);
    // Its room may have been forgotten since, or its chunks may have it already.
    if (room !== undefined && part.first > room.last) settler.note(room, part);
  }
  settler.settleEverything();
  // Most of them nobody will come back to soon; there can be a hundred thousand.
  rooms.dropAll();
}
