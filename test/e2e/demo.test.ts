import { expect, test } from 'vitest';
import { redisForTest } from '../helpers/redis.ts';
import { newAccount } from './bcast.ts';

test('bcast demo starts several servers as one network, prints where, and ends them all', {
  timeout: 120_000,
}, async () => {
  const redis = await redisForTest();
  const account = newAccount(undefined, { BCAST_REDIS_URL: redis.url });
  const demo = account.start(['demo', '--nodes', '2', '--port', '0']);
  await demo.until(/\n/);
  const url = demo.stdout().trim().split('\n')[0] as string;
  expect((await account.run(['send', '--server', url, 'hi'])).code).toBe(0);
  const names = async () => ((await redis.admin.zrange('bcast:nodes', '0', '-1')) as string[]).length;
  await expect.poll(names, { timeout: 60_000 }).toBe(2);
  demo.child.kill('SIGINT');
  expect((await demo.exit).code).toBe(0);
  expect(await names()).toBe(0);
});
