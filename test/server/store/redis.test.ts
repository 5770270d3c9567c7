import { afterAll, beforeAll } from 'vitest';
import { recordsConformance } from '../../conformance/records.ts';
import { storeConformance } from '../../conformance/store.ts';
import { startRedis, type TestRedis } from '../../helpers/redis-server.ts';
import { redisStore } from './redis-store.ts';

let redis: TestRedis;

beforeAll(async () => {
  redis = await startRedis();
});

afterAll(() => redis.stop());

storeConformance('redis', (options) => redisStore(redis.url, options));
recordsConformance('redis', (options) => redisStore(redis.url, options));
