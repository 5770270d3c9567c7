import { readdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { redisForTest } from '../helpers/redis.ts';
import { findRedis } from '../helpers/redis-binary.ts';
import { startServer } from '../helpers/server.ts';
import { TestTerminal } from '../helpers/terminal.ts';
import { newAccount } from './bcast.ts';

const BCAST = join(import.meta.dirname, '../../bin/bcast.ts');

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

test('bcast demo on a port that is taken says so and ends', { timeout: 120_000 }, async () => {
  const redis = await redisForTest();
  const account = newAccount(undefined, { BCAST_REDIS_URL: redis.url });
  const taken = await startServer();
  const { code, stderr } = await account.run(['demo', '--nodes', '2', '--port', String(taken.port)]);
  expect(code).not.toBe(0);
  expect(stderr).toContain(`127.0.0.1:${taken.port} is in use`);
});

test('bcast demo ends its Redis too when its terminal is closed', { timeout: 120_000 }, async () => {
  const redis = await findRedis();
  const { home, env } = newAccount(undefined, redis.env);
  const path = `${dirname(redis.command)}${delimiter}${env['PATH']}`;
  const terminal = new TestTerminal(process.execPath, [BCAST, 'demo', '--nodes', '1', '--port', '0'], {
    columns: 100,
    rows: 10,
    env: { ...env, PATH: path, TMPDIR: home },
    cwd: home,
  });
  onTestFinished(() => terminal.close());
  // Removed when everything that was started has ended.
  const places = () => readdirSync(home).filter((name) => name.startsWith('bcast-demo-'));
  await terminal.until('are one network');
  expect(places()).toHaveLength(1);
  terminal.hangUp();
  await expect.poll(places, { timeout: 60_000 }).toEqual([]);
});
