import type { DatabaseSync } from 'node:sqlite';
import { onTestFinished } from 'vitest';
import { BcastError, toBcastError } from '../../../lib/errors.ts';
import type { Store } from '../../../lib/server/hub/ports.ts';
import { createCopier } from '../../../lib/server/store/sqlite/copier.ts';
import { createReader } from '../../../lib/server/store/sqlite/reader.ts';
import type { Caller } from '../../../lib/server/store/sqlite/thread.ts';
import { type FileOptions, openWriter } from '../../../lib/server/store/sqlite/writer.ts';
import { openSqliteStore, type SqliteStoreOptions, type Workers } from '../../../lib/server/store/sqlite.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';
import { scratchDir } from '../../helpers/scratch-dir.ts';

export interface TestStoreOptions extends Partial<SqliteStoreOptions> {
  /** With the threads that a server has. Without them a store is there in a tenth of the time. */
  readonly hasThreads?: boolean;
  /** Called with the connection of what writes; not with threads. */
  readonly onOpen?: (database: DatabaseSync) => void;
}

/** Opens a store, in a directory of its own unless told otherwise; it is closed when the test ends. */
export async function openStore({ hasThreads = false, onOpen, ...options }: TestStoreOptions = {}): Promise<Store> {
  const all: SqliteStoreOptions = {
    dataDir: options.dataDir ?? scratchDir(),
    keepMessages: 1_000,
    keepMs: 1e13,
    emptyRoomTtl: 600_000,
    isSynced: false,
    clock: new ManualClock(),
    onFailure: (error) => {
      throw error;
    },
    ...options,
  };
  const store = await (hasThreads ? openSqliteStore(all) : openSqliteStore(all, (file) => startHere(file, onOpen)));
  onTestFinished(() => store.close());
  return store;
}

function startHere(file: FileOptions, onOpen: TestStoreOptions['onOpen']): Workers {
  return {
    writer: callerOf(() => openWriter(file, onOpen)),
    reader: callerOf(() => createReader(file)),
    startCopier: () => callerOf(() => createCopier(file)),
  };
}

/** Calls in this thread, with copies of what is given and got, as between threads. */
// biome-ignore lint/suspicious/noExplicitAny: as in Caller itself.
function callerOf<C extends { readonly [N in keyof C]: (...args: any[]) => unknown }>(open: () => C): Caller<C> {
  let calls: C | undefined;
  const started = new Promise<void>((resolve) => {
    calls = open();
    resolve();
  });
  const call: Caller<C>['call'] = async (name, args, transfer = []) => {
    await started;
    if (calls === undefined) throw new BcastError('INTERNAL', { cause: new Error('it was closed') });
    try {
      return structuredClone(calls[name](...structuredClone(args, { transfer: [...transfer] }))) as never;
    } catch (error) {
      throw toBcastError(error);
    }
  };
  return {
    started,
    call,
    async end() {
      await started.then(
        () => (calls as { close?(): void } | undefined)?.close?.(),
        () => undefined,
      );
      calls = undefined;
    },
  };
}

/** Lets so much time pass and the housekeeping that begins then come to its end. */
export async function tidyUp(clock: ManualClock, afterMs = 10_000): Promise<void> {
  clock.advance(afterMs);
  // Without threads it takes turns of the event loop only: a few for each step, of which there are some hundreds at most.
  for (let i = 0; i < 2_000; i += 1) await new Promise((resolve) => setImmediate(resolve));
}
