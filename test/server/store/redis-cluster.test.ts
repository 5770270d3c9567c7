import { afterAll, beforeAll } from 'vitest';
import { recordsConformance } from '../../conformance/records.ts';
import { storeConformance } from '../../conformance/store.ts';
import { startRedisCluster, type TestRedisCluster } from '../../helpers/redis-cluster.ts';
import { redisStore } from './redis-store.ts';

let redis: TestRedisCluster;

beforeAll(async () => {
  redis = await startRedisCluster();
});

afterAll(() => redis.stop());

storeConformance('a Redis Cluster', (options) => redisStore(redis.url, options));
recordsConformance('a Redis Cluster', (options) => redisStore(redis.url, options));
