import { onTestFinished } from 'vitest';
import type { Store } from '../../../lib/server/hub/ports.ts';
import { openSqliteStore, type SqliteStoreOptions } from '../../../lib/server/store/sqlite.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';
import { scratchDir } from '../../helpers/scratch-dir.ts';

/** Opens a store, in a directory of its own unless told otherwise; it is closed when the test ends. */
export async function openStore(options: Partial<SqliteStoreOptions> = {}): Promise<Store> {
  const store = await openSqliteStore({
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
  });
  onTestFinished(() => store.close());
  return store;
}
