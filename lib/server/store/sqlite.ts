import { join } from 'node:path';
import type { Clock } from '../../clock.ts';
import { makePrivateDirectory } from '../../config/private-file.ts';
import type { NameKey } from '../../protocol/names.ts';
import type {
  Appended,
  Bounds,
  Draft,
  Found,
  ListQuery,
  PageQuery,
  PutOptions,
  RecordKind,
  SearchQuery,
  Store,
  StoredMessage,
  StoredRecord,
} from '../hub/ports.ts';
import type { Answers } from './sqlite/appender.ts';
import type { CopierCalls } from './sqlite/copier.ts';
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
export interface Workers {
  readonly writer: Caller<WriterCalls>;
  readonly reader: Caller<ReaderCalls>;
  /** Ends after each copy. */
  readonly startCopier: () => Caller<CopierCalls>;
}

/**
 * A store in one file. One thread writes, another reads, so that neither a slow disk nor a long search holds up the event
 * loop, and a search holds up no message. Rejects with CONFIG when the file cannot be used.
 */
export async function openSqliteStore(
  options: SqliteStoreOptions,
  startWorkers: (file: FileOptions) => Workers = startThreads,
): Promise<Store> {
  const { dataDir, keepMessages, keepMs, isSynced } = options;
  makePrivateDirectory(dataDir);
  const path = join(dataDir, FILE_NAME);
  const workers = startWorkers({ path, keepMessages, keepMs, isSynced });
  try {
    await workers.writer.started;
  } catch (error) {
    await Promise.all([workers.reader.end(), workers.writer.end()]);
    throw error;
  }
  return new SqliteStore(path, workers, options);
}

function startThreads(file: FileOptions): Workers {
  return {
    writer: new StoreThread<WriterCalls>({ ...file, role: 'writer' }),
    // It opens the file when it is first asked something; until then only its code is loaded.
    reader: new StoreThread<ReaderCalls>({ ...file, role: 'reader' }),
    startCopier: () => new StoreThread<CopierCalls>({ ...file, role: 'copier' }),
  };
}

/** Passes on what is asked to whoever does it. */
class SqliteStore implements Store {
  readonly keepMessages: number;
  readonly keepMs: number;
  readonly #clock: Clock;
  readonly #writer: Caller<WriterCalls>;
  readonly #reader: Caller<ReaderCalls>;
  readonly #startCopier: Workers['startCopier'];
  readonly #timetable: Timetable;
  /** Rooms of which the reader may not see the newest messages. */
  readonly #unsettled = new Set<NameKey>();
  /** Rooms of which it will see them soon. */
  readonly #settling = new Map<NameKey, Promise<void>>();

  constructor(path: string, { writer, reader, startCopier }: Workers, options: SqliteStoreOptions) {
    this.keepMessages = options.keepMessages;
    this.keepMs = options.keepMs;
    this.#clock = options.clock;
    this.#writer = writer;
    this.#reader = reader;
    this.#startCopier = startCopier;
    this.#timetable = new Timetable({ writer, reader }, { ...options, path });
  }

  open(room: NameKey): Promise<Bounds> {
    return this.#write('open', [room, this.#clock.nowMs()]);
  }

  async append(drafts: readonly Draft[]): Promise<readonly Appended[]> {
    const batch = encodeBatch(drafts);
    const { rooms, count, entries } = batch;
    for (const room of rooms) this.#unsettled.add(room);
    this.#timetable.noteChange(count, entries.length);
    return appendedOf(await this.#writer.call('append', [batch], [entries.buffer]));
  }

  async read(room: NameKey, query: PageQuery): Promise<readonly StoredMessage[]> {
    await this.#settle(room);
    const { firstSeq, entries } = await this.#reader.call('read', [room, query, this.#clock.nowMs()]);
    return decodeEntries(entries, room, firstSeq);
  }

  async search(room: NameKey, query: SearchQuery): Promise<Found> {
    await this.#settle(room);
    return foundOf(room, await this.#reader.call('search', [room, query, this.#clock.nowMs()]));
  }

  async bounds(room: NameKey): Promise<Bounds | null> {
    await this.#settle(room);
    return this.#reader.call('bounds', [room, this.#clock.nowMs()]);
  }

  retain(room: NameKey, isRetained: boolean): Promise<void> {
    return this.#write('retain', [room, isRetained]);
  }

  release(room: NameKey): Promise<void> {
    this.#unsettled.delete(room);
    return this.#write('release', [room]);
  }

  forget(room: NameKey): Promise<void> {
    this.#unsettled.delete(room);
    return this.#write('forget', [room]);
  }

  get(kind: RecordKind, key: string): Promise<StoredRecord | null> {
    return this.#writer.call('get', [kind, key, this.#clock.nowMs()]);
  }

  put(kind: RecordKind, key: string, value: unknown, options: PutOptions = {}): Promise<number | null> {
    return this.#write('put', [kind, key, JSON.stringify(value), options, this.#clock.nowMs()]);
  }

  remove(kind: RecordKind, key: string, over?: number): Promise<boolean> {
    return this.#write('remove', [kind, key, over, this.#clock.nowMs()]);
  }

  list(kind: RecordKind, query: ListQuery): Promise<readonly StoredRecord[]> {
    return this.#writer.call('list', [kind, query, this.#clock.nowMs()]);
  }

  /** Rejects with OUTPUT_FAILED, and then there is no such file, or the one that was there before. */
  async backup(path: string): Promise<void> {
    const copier = this.#startCopier();
    try {
      await copier.call('copy', [path]);
    } finally {
      await copier.end();
    }
  }

  async close(): Promise<void> {
    this.#timetable.stop();
    // The last to close the file folds the log into it.
    await this.#reader.end();
    await this.#writer.end();
  }

  #write<N extends keyof WriterCalls>(name: N, args: Parameters<WriterCalls[N]>): Promise<ReturnType<WriterCalls[N]>> {
    this.#timetable.noteChange();
    return this.#writer.call(name, args);
  }

  /** Makes sure that the reader sees all that was answered. */
  async #settle(room: NameKey): Promise<void> {
    if (this.#unsettled.delete(room)) this.#settling.set(room, this.#write('settle', [room]));
    const settling = this.#settling.get(room);
    if (settling === undefined) return;
    try {
      await settling;
    } catch (error) {
      this.#unsettled.add(room);
      throw error;
    } finally {
      // Unless more has come meanwhile, and somebody waits for that.
      if (this.#settling.get(room) === settling) this.#settling.delete(room);
    }
  }
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
