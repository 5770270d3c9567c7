import { onTestFinished } from 'vitest';
import { BcastError } from '../../../lib/errors.ts';
import type { Store } from '../../../lib/server/hub/ports.ts';
import { createCopier } from '../../../lib/server/store/sqlite/copier.ts';
import { createReader } from '../../../lib/server/store/sqlite/reader.ts';
import type { Caller } from '../../../lib/server/store/sqlite/thread.ts';
import { type FileOptions, openWriter } from '../../../lib/server/store/sqlite/writer.ts';
import { openSqliteStore, type SqliteStoreOptions } from '../../../lib/server/store/sqlite.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';
import { scratchDir } from '../../helpers/scratch-dir.ts';

export interface TestStoreOptions extends Partial<SqliteStoreOptions> {
  /** With the threads that a server has. Without them a store is there in a tenth of the time. */
  readonly hasThreads?: boolean;
}

/** Opens a store, in a directory of its own unless told otherwise; it is closed when the test ends. */
export async function openStore({ hasThreads = false, ...options }: TestStoreOptions = {}): Promise<Store> {
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
  const store = await (hasThreads ? openSqliteStore(all) : openSqliteStore(all, startHere));
  onTestFinished(() => store.close());
  return store;
}

function startHere(file: FileOptions) {
  return {
    writer: callerOf(() => openWriter(file)),
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
    return structuredClone(calls[name](...structuredClone(args, { transfer: [...transfer] }))) as never;
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
