import type { Clock } from '../clock.ts';
import type { ServerOptions } from '../config/options.ts';
import type { Logger } from '../log.ts';
import type { NameKey } from '../protocol/names.ts';
import type { CryptoProvider } from '../wire/crypto/port.ts';
import { createLocalBackplane } from './backplane/local.ts';
import type { Hub } from './hub/hub.ts';
import type { Backplane, NetworkNews, Store } from './hub/ports.ts';
import { recall, startOver } from './hub/shared-store.ts';
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

/** Where everything is kept, and who else keeps it there. */
export interface Keeping {
  readonly store: Store;
  readonly backplane: Backplane;
  /** To be called before the hub starts: it remembers what a shared store may forget. */
  attach(hub: Hub): void;
  /** Tells all servers that use the store, from a process that is none; resolves when it is told. Rejects with UNAVAILABLE. */
  tellServers(news: NetworkNews): Promise<void>;
}

/** What the options name. Rejects with CONFIG when its file, or Redis, cannot be used. */
export async function openKeeping(config: StoreConfig, context: Context): Promise<Keeping> {
  const { redisUrl } = config;
  if (redisUrl !== undefined) return openRedis({ ...config, redisUrl }, context);
  return {
    store: await openOwnStore(config, context),
    backplane: createLocalBackplane(),
    attach: () => undefined,
    tellServers: async () => undefined,
  };
}

/** A store that no other server uses. */
async function openOwnStore(config: StoreConfig, context: Context): Promise<Store> {
  const { clock, log, crypto } = context;
  const { historyMessages, historyAge, emptyRoomTtl } = config;
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

async function openRedis(config: StoreConfig & RedisNodeOptions, { clock, log, crypto }: Context): Promise<Keeping> {
  const { historyMessages, historyAge, emptyRoomTtl, redisWait, redisTimeout } = config;
  // Only who uses Redis waits for its library.
  const [{ openRedisNode }, { SCRIPTS }, { createRedisStore }, { BACKPLANE_SCRIPTS }, { RedisBackplane }, words] =
    await Promise.all([
      import('./redis/node.ts'),
      import('./store/redis/scripts.ts'),
      import('./store/redis/store.ts'),
      import('./backplane/redis/scripts.ts'),
      import('./backplane/redis/backplane.ts'),
      import('./backplane/redis/news.ts'),
    ]);
  const scripts = [...SCRIPTS, ...BACKPLANE_SCRIPTS];
  const node = await openRedisNode(config, { clock, log, nodeId: hexOf(crypto), scripts });
  const store = createRedisStore({
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
  const onHeard = (room: NameKey, last: number, lastTs: number): void => store.heard(room, last, lastTs);
  return {
    store,
    backplane: new RedisBackplane({ node, clock, log, onHeard }),
    attach(hub) {
      store.recallBy((room) => recall(hub, room));
      store.onReplaced((room) => startOver(hub, room));
    },
    async tellServers(news) {
      const { availability, connection, keys, nodeId } = node;
      const word = words.networkLanguage.encode(nodeId, news);
      await availability.once(keys.network, () => connection.command('SPUBLISH', keys.network, word));
    },
  };
}

function hexOf(crypto: CryptoProvider): string {
  return Buffer.from(crypto.randomBytes(8)).toString('hex');
}
