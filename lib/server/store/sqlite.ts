import { join } from 'node:path';
import type { Clock } from '../../clock.ts';
import { makePrivateDirectory } from '../../config/private-file.ts';
import type { NameKey } from '../../protocol/names.ts';
import type { Appended, Found, Store, StoredMessage } from '../hub/ports.ts';
import type { Answers } from './sqlite/appender.ts';
import { decodeEntries, decodeEntry, encodeBatch, entryEnd } from './sqlite/entries.ts';
import type { ReaderCalls } from './sqlite/reader.ts';
import type { Matches } from './sqlite/search.ts';
import { StoreThread } from './sqlite/thread.ts';
import { Timetable } from './sqlite/timetable.ts';
import type { WriterCalls } from './sqlite/writer.ts';

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

/**
 * A store in one file. One thread writes, another reads, so that neither a slow disk nor a long search holds up the event
 * loop, and a search holds up no message. Rejects with CONFIG when the file cannot be used.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const { dataDir, keepMessages, keepMs, isSynced, clock } = options;
  makePrivateDirectory(dataDir);
  const file = { path: join(dataDir, FILE_NAME), keepMessages, keepMs, isSynced };
  const writer = new StoreThread<WriterCalls>({ ...file, role: 'writer' });
  // It opens the file when it is first asked something; until then only its code is loaded.
  const reader = new StoreThread<ReaderCalls>({ ...file, role: 'reader' });
  try {
    await writer.started;
  } catch (error) {
    await Promise.all([reader.end(), writer.end()]);
    throw error;
  }
  const timetable = new Timetable(writer, options);
  return {
    keepMessages,
    keepMs,
    open: (room) => writer.call('open', [room, clock.nowMs()]),
    async append(drafts) {
      const batch = encodeBatch(drafts);
      timetable.noteAppend(batch.count);
      const { entries } = batch;
      return appendedOf(await writer.call('append', [batch], [entries.buffer]));
    },
    async read(room, query) {
      const { firstSeq, entries } = await reader.call('read', [room, query, clock.nowMs()]);
      return decodeEntries(entries, room, firstSeq);
    },
    async search(room, query) {
      return foundOf(room, await reader.call('search', [room, query, clock.nowMs()]));
    },
    bounds: (room) => reader.call('bounds', [room, clock.nowMs()]),
    retain: (room, isRetained) => writer.call('retain', [room, isRetained]),
    // One process has the file: nobody else needs the room.
    async release() {},
    async forget(room) {
      await writer.call('forget', [room]);
      timetable.noteChange();
    },
    get: (kind, key) => writer.call('get', [kind, key, clock.nowMs()]),
    put: (kind, key, value, putOptions = {}) =>
      writer.call('put', [kind, key, JSON.stringify(value), putOptions, clock.nowMs()]),
    remove: (kind, key, over) => writer.call('remove', [kind, key, over, clock.nowMs()]),
    list: (kind, query) => writer.call('list', [kind, query, clock.nowMs()]),
    async close() {
      timetable.stop();
      // The last to close the file folds the log into it.
      await reader.end();
      await writer.end();
    },
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
