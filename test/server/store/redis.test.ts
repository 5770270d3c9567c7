import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { parseRedisUrl, type RedisAddress } from '../../../lib/config/redis-url.ts';
import { connectRedis } from '../../../lib/server/redis/connection.ts';
import { createKeys } from '../../../lib/server/redis/keys.ts';
import { SCRIPTS } from '../../../lib/server/store/redis/scripts.ts';
import { createRedisStore } from '../../../lib/server/store/redis/store.ts';
import { recordsConformance } from '../../conformance/records.ts';
import { type CreateStore, storeConformance } from '../../conformance/store.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';

let redis: TestRedis;

beforeAll(async () => {
  redis = await startRedis();
});

afterAll(() => redis.stop());

const hex = (): string => randomBytes(8).toString('hex');

const create: CreateStore = async (options) => {
  const connection = connectRedis({
    address: parseRedisUrl(redis.url) as RedisAddress,
    timeoutMs: 10_000,
    scripts: SCRIPTS,
  });
  onTestFinished(() => connection.close());
  const store = createRedisStore({
    ...options,
    connection,
    keys: createKeys(`bcast-${hex()}`),
    newIncarnation: hex,
    nodeId: hex(),
    leaseMs: 600_000,
    recoveryMs: 0,
    wait: 0,
    waitTimeoutMs: 1_000,
  });
  onTestFinished(() => store.close());
  await connection.ready();
  return store;
};

storeConformance('redis', create);
recordsConformance('redis', create);
