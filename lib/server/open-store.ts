import type { Clock } from '../clock.ts';
import type { ServerOptions } from '../config/options.ts';
import type { Logger } from '../log.ts';
import type { CryptoProvider } from '../wire/crypto/port.ts';
import type { Store } from './hub/ports.ts';
import { createMemoryStore } from './store/memory.ts';
import { openSqliteStore } from './store/sqlite.ts';

type StoreConfig = Pick<ServerOptions, 'store' | 'storeSync' | 'historyMessages' | 'historyAge' | 'emptyRoomTtl'> & {
  readonly dataDir: string;
};

/** The store that the options name. Rejects with CONFIG when its file cannot be used. */
export async function openStore(
  { store, storeSync, dataDir, historyMessages, historyAge, emptyRoomTtl }: StoreConfig,
  { clock, log, crypto }: { readonly clock: Clock; readonly log: Logger; readonly crypto: CryptoProvider },
): Promise<Store> {
  const keeping = { keepMessages: historyMessages, keepMs: historyAge, clock };
  if (store === 'memory') {
    return createMemoryStore({
      ...keeping,
      newIncarnation: () => Buffer.from(crypto.randomBytes(8)).toString('hex'),
    });
  }
  return openSqliteStore({
    ...keeping,
    dataDir,
    emptyRoomTtl,
    isSynced: storeSync === 'always',
    onFailure: (error) => log.error({ err: error }, 'the store could not be tidied up'),
  });
}
