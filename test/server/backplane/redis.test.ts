import { afterAll, beforeAll } from 'vitest';
import { backplaneConformance, cutConformance } from '../../conformance/backplane.ts';
import { startRedis, type TestRedis } from '../../helpers/redis-server.ts';
import { redisNetwork } from './redis-network.ts';

let redis: TestRedis;

beforeAll(async () => {
  redis = await startRedis();
});

afterAll(() => redis.stop());

backplaneConformance('one Redis', () => redisNetwork(redis.url));
cutConformance('one Redis', () => redisNetwork(redis.url, { isCuttable: true }));
