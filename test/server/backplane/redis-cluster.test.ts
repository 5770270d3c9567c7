import { afterAll, beforeAll } from 'vitest';
import { backplaneConformance } from '../../conformance/backplane.ts';
import { startRedisCluster, type TestRedisCluster } from '../../helpers/redis-cluster.ts';
import { redisNetwork } from './redis-network.ts';

let redis: TestRedisCluster;

beforeAll(async () => {
  redis = await startRedisCluster();
});

afterAll(() => redis.stop());

backplaneConformance('a Redis Cluster', () => redisNetwork(redis.url));
