import { type Clock, systemClock } from '../clock.ts';
import type { ServerConfig } from '../config/live-config.ts';
import type { Logger } from '../log.ts';
import { createNativeCrypto } from '../wire/crypto/native.ts';
import type { AccountDesk } from './admin/people.ts';
import { Accounts } from './hub/accounts.ts';
import { Audit } from './hub/audit.ts';
import { openKeeping } from './open-store.ts';
import { createSecrets } from './secrets.ts';
import { loadServerKey } from './server-key.ts';

/**
 * Lets `work` change the accounts of a store that no server uses just now. Rejects with CONFIG when one does, or when the
 * store cannot be opened.
 */
export async function withAccounts<T>(
  config: ServerConfig,
  log: Logger,
  work: (desk: AccountDesk) => Promise<T>,
  clock: Clock = systemClock,
): Promise<T> {
  const crypto = createNativeCrypto();
  const { codeKey } = loadServerKey(config.dataDir, crypto);
  const { store } = await openKeeping(config, { clock, log, crypto });
  try {
    const accounts = new Accounts(store, createSecrets(crypto, codeKey), () => config.maxNamesPerKey);
    // Nobody is here who would have to hear of it.
    const noteAccount = (): void => undefined;
    return await work({ hub: { accounts, audit: new Audit(store, clock, log), clock, noteAccount } });
  } finally {
    await store.close();
  }
}
