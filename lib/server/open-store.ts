import type { Clock } from '../clock.ts';
import type { ServerOptions } from '../config/options.ts';
import type { Logger } from '../log.ts';
import type { CryptoProvider } from '../wire/crypto/port.ts';
import type { Store } from './hub/ports.ts';
import type { RedisNodeOptions } from './redis/node.ts';
import { createMemoryStore } from './store/memory.ts';
import { openSqliteStore } from './store/sqlite.ts';

/** A room in Redis outlives a node that died by at least so long, in milliseconds. */
const MIN_LEASE_MS = 60_000;
/** How long nodes have to put back what an emptied Redis has lost, in milliseconds. */
const RECOVERY_MS = 5_000;

type StoreConfig = Pick<ServerOptions, 'store' | 'storeSync' | 'historyMessages' | 'historyAge' | 'emptyRoomTtl'> &
  Pick<ServerOptions, 'redisUrl' | 'redisPasswordFile' | 'redisCa' | 'redisWait' | 'redisTimeout' | 'redisPrefix'> & {
    readonly dataDir: string;
  };

interface Context {
  readonly clock: Clock;
  readonly log: Logger;
  readonly crypto: CryptoProvider;
}

/** The store that the options name. Rejects with CONFIG when its file, or Redis, cannot be used. */
export async function openStore(config: StoreConfig, context: Context): Promise<Store> {
  const { clock, log, crypto } = context;
  const { redisUrl, historyMessages, historyAge, emptyRoomTtl } = config;
  if (redisUrl !== undefined) return openRedisStore({ ...config, redisUrl }, context);
  const keeping = { keepMessages: historyMessages, keepMs: historyAge, clock };
  if (config.store === 'memory') return createMemoryStore({ ...keeping, newIncarnation: () => hexOf(crypto) });
  return openSqliteStore({
    ...keeping,
    dataDir: config.dataDir,
    emptyRoomTtl,
    isSynced: config.storeSync === 'always',
    onFailure: (error) => log.error({ err: error }, 'the store could not be tidied up'),
  });
}

async function openRedisStore(config: StoreConfig & RedisNodeOptions, { clock, log, crypto }: Context): Promise<Store> {
  const { historyMessages, historyAge, emptyRoomTtl, redisWait, redisTimeout } = config;
  // Only who uses Redis waits for its library.
  const [{ openRedisNode }, { SCRIPTS }, { createRedisStore }] = await Promise.all([
    import('./redis/node.ts'),
    import('./store/redis/scripts.ts'),
    import('./store/redis/store.ts'),
  ]);
  const node = await openRedisNode(config, { clock, log, nodeId: hexOf(crypto), scripts: SCRIPTS });
  return createRedisStore({
    node,
    clock,
    newIncarnation: () => hexOf(crypto),
    keepMessages: historyMessages,
    keepMs: historyAge,
    leaseMs: Math.max(emptyRoomTtl, MIN_LEASE_MS),
    recoveryMs: RECOVERY_MS,
    wait: redisWait,
    // Redis has to answer that there are too few before we stop waiting for its answer.
    waitTimeoutMs: Math.ceil(redisTimeout / 2),
  });
}

function hexOf(crypto: CryptoProvider): string {
  return Buffer.from(crypto.randomBytes(8)).toString('hex');
}
