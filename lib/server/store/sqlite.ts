import { join } from 'node:path';
import type { Clock } from '../../clock.ts';
import { makePrivateDirectory } from '../../config/private-file.ts';
import type { NameKey } from '../../protocol/names.ts';
import type { Appended, Found, Store, StoredMessage } from '../hub/ports.ts';
import type { Answers } from './sqlite/appender.ts';
import { decodeEntries, decodeEntry, encodeBatch, entryEnd } from './sqlite/entries.ts';
import type { ReaderCalls } from './sqlite/reader.ts';
import type { Matches } from './sqlite/search.ts';
import { type Caller, StoreThread } from './sqlite/thread.ts';
import { Timetable } from './sqlite/timetable.ts';
import type { FileOptions, WriterCalls } from './sqlite/writer.ts';

const FILE_NAME = 'bcast.db';

export interface SqliteStoreOptions {
  /** The directory of the file; made when it is not there. */
  readonly dataDir: string;
  readonly keepMessages: number;
  readonly keepMs: number;
  /** How long a room that nobody opens outlives the process that left it, in milliseconds. */
  readonly emptyRoomTtl: number;
  /** Whether an append waits until the disk has it; otherwise the disk is told once a second. */
  readonly isSynced: boolean;
  readonly clock: Clock;
  /** Told when something failed that nobody asked for and that is tried again. */
  readonly onFailure: (error: unknown) => void;
}

/** Who works on the file. */
interface Workers {
  readonly writer: Caller<WriterCalls>;
  readonly reader: Caller<ReaderCalls>;
}

/**
 * A store in one file. One thread writes, another reads, so that neither a slow disk nor a long search holds up the event
 * loop, and a search holds up no message. Rejects with CONFIG when the file cannot be used.
 */
export async function openSqliteStore(
  options: SqliteStoreOptions,
  startWorkers: (file: FileOptions) => Workers = startThreads,
): Promise<Store> {
  const { dataDir, keepMessages, keepMs, isSynced, clock } = options;
  makePrivateDirectory(dataDir);
  const path = join(dataDir, FILE_NAME);
  const { writer, reader } = startWorkers({ path, keepMessages, keepMs, isSynced });
  try {
    await writer.started;
  } catch (error) {
    await Promise.all([reader.end(), writer.end()]);
    throw error;
  }
  const timetable = new Timetable({ writer, reader }, { ...options, path });
  const write: typeof writer.call = (name, args, transfer) => {
    timetable.noteChange();
    return writer.call(name, args, transfer);
  };
  /** Rooms of which the reader may not see the newest messages. */
  const unsettled = new Set<NameKey>();
  const settle = async (room: NameKey): Promise<void> => {
    if (!unsettled.delete(room)) return;
    try {
      await write('settle', [room]);
    } catch (error) {
      unsettled.add(room);
      throw error;
    }
  };
  return {
    keepMessages,
    keepMs,
    open: (room) => write('open', [room, clock.nowMs()]),
    async append(drafts) {
      const batch = encodeBatch(drafts);
      const { rooms, count, entries } = batch;
      for (const room of rooms) unsettled.add(room);
      timetable.noteChange(count, entries.length);
      return appendedOf(await writer.call('append', [batch], [entries.buffer]));
    },
    async read(room, query) {
      await settle(room);
      const { firstSeq, entries } = await reader.call('read', [room, query, clock.nowMs()]);
      return decodeEntries(entries, room, firstSeq);
    },
    async search(room, query) {
      await settle(room);
      return foundOf(room, await reader.call('search', [room, query, clock.nowMs()]));
    },
    async bounds(room) {
      await settle(room);
      return reader.call('bounds', [room, clock.nowMs()]);
    },
    retain: (room, isRetained) => write('retain', [room, isRetained]),
    forget(room) {
      unsettled.delete(room);
      return write('forget', [room]);
    },
    get: (kind, key) => writer.call('get', [kind, key, clock.nowMs()]),
    put: (kind, key, value, putOptions = {}) =>
      write('put', [kind, key, JSON.stringify(value), putOptions, clock.nowMs()]),
    remove: (kind, key, over) => write('remove', [kind, key, over, clock.nowMs()]),
    list: (kind, query) => writer.call('list', [kind, query, clock.nowMs()]),
    async close() {
      timetable.stop();
      // The last to close the file folds the log into it.
      await reader.end();
      await writer.end();
    },
  };
}

function startThreads(file: FileOptions): Workers {
  return {
    writer: new StoreThread<WriterCalls>({ ...file, role: 'writer' }),
    // It opens the file when it is first asked something; until then only its code is loaded.
    reader: new StoreThread<ReaderCalls>({ ...file, role: 'reader' }),
  };
}

function appendedOf(answers: Answers): Appended[] {
  const appended: Appended[] = [];
  for (let i = 0; i < answers.length; i += 2) {
    const seq = answers[i] as number;
    appended.push({ seq: Math.abs(seq), ts: answers[i + 1] as number, isDuplicate: seq < 0 });
  }
  return appended;
}

function foundOf(room: NameKey, { seqs, entries, from }: Matches): Found {
  const messages: StoredMessage[] = [];
  let at = 0;
  for (const seq of seqs) {
    messages.push(decodeEntry(entries, at, room, seq));
    at = entryEnd(entries, at);
  }
  return { messages, from };
}
