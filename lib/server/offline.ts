import { type Clock, systemClock } from '../clock.ts';
import type { ServerConfig } from '../config/live-config.ts';
import type { Logger } from '../log.ts';
import type { NameKey } from '../protocol/names.ts';
import { createNativeCrypto } from '../wire/crypto/native.ts';
import type { AccountDesk } from './admin/people.ts';
import { Accounts } from './hub/accounts.ts';
import { Audit } from './hub/audit.ts';
import { openKeeping } from './open-store.ts';
import { createSecrets } from './secrets.ts';
import { loadServerKey } from './server-key.ts';

/**
 * Lets `work` change the accounts of a store that no server uses just now, or of one that servers elsewhere share, which
 * are told. Rejects with CONFIG when a server has the store to itself, or when it cannot be opened.
 */
export async function withAccounts<T>(
  config: ServerConfig,
  log: Logger,
  work: (desk: AccountDesk) => Promise<T>,
  clock: Clock = systemClock,
): Promise<T> {
  const crypto = createNativeCrypto();
  const { codeKey } = loadServerKey(config.dataDir, crypto);
  const { store, tellServers } = await openKeeping(config, { clock, log, crypto });
  try {
    const accounts = new Accounts(store, createSecrets(crypto, codeKey), () => config.maxNamesPerKey);
    const telling: Promise<void>[] = [];
    const noteAccount = (key: NameKey): void => {
      const told = tellServers({ type: 'account', key });
      // The change itself is done.
      telling.push(told.catch((error: unknown) => log.warn({ err: error }, 'servers could not be told of the change')));
    };
    const done = await work({ hub: { accounts, audit: new Audit(store, clock, log), clock, noteAccount } });
    await Promise.all(telling);
    return done;
  } finally {
    await store.close();
  }
}
