import { randomBytes } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { systemClock } from '../../../lib/clock.ts';
import { parseRedisUrl, type RedisAddress } from '../../../lib/config/redis-url.ts';
import { Availability } from '../../../lib/server/redis/availability.ts';
import { connectRedis, type RedisConnection } from '../../../lib/server/redis/connection.ts';
import { createKeys } from '../../../lib/server/redis/keys.ts';
import { SCRIPTS } from '../../../lib/server/store/redis/scripts.ts';
import { createRedisStore, type RedisStore, type RedisStoreOptions } from '../../../lib/server/store/redis/store.ts';

export interface StoreForTest extends Partial<Omit<RedisStoreOptions, 'node'>> {
  readonly timeoutMs?: number;
  readonly prefix?: string;
  readonly nodeId?: string;
  readonly connection?: RedisConnection;
}

/** A name nobody else has: for keys that must not meet, and for nodes and incarnations. */
export function hex(): string {
  return randomBytes(8).toString('hex');
}

/** A connection that ends with the test. */
export async function connectForTest(url: string, timeoutMs = 10_000): Promise<RedisConnection> {
  const address = parseRedisUrl(url) as RedisAddress;
  const connection = connectRedis({ address, timeoutMs, scripts: SCRIPTS });
  onTestFinished(() => connection.close());
  await connection.ready();
  return connection;
}

/** A store with a connection of its own, among keys of its own unless told otherwise; both end with the test. */
export async function redisStore(url: string, options: StoreForTest = {}): Promise<RedisStore> {
  const { timeoutMs, prefix = `bcast-${hex()}`, nodeId = hex(), clock = systemClock, ...rest } = options;
  const connection = options.connection ?? (await connectForTest(url, timeoutMs));
  const availability = new Availability(connection, clock);
  const close = (): void => availability.close();
  const store = createRedisStore({
    node: { connection, availability, keys: createKeys(prefix), nodeId, close },
    clock,
    newIncarnation: hex,
    keepMessages: 10_000,
    keepMs: 1e13,
    leaseMs: 600_000,
    recoveryMs: 0,
    wait: 0,
    waitTimeoutMs: 1_000,
    ...rest,
  });
  onTestFinished(() => store.close());
  return store;
}
