import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { freePort, spawnServer, startRedis, type TestRedis, type TestRedisOptions } from './redis-server.ts';

export interface RedisForTestOptions extends TestRedisOptions {
  /** It has been in use for long: rooms are made at once. */
  readonly isSettled?: boolean;
}

/** Starts one that ends with the test. */
export async function redisForTest(options: RedisForTestOptions = {}): Promise<TestRedis> {
  const redis = await startRedis(options);
  onTestFinished(() => redis.stop());
  if (options.isSettled) await redis.admin.set('bcast:epoch', 1);
  return redis;
}

/** A sentinel that ends with the test and watches over a master called `main`; it alone decides that one is down. */
export async function sentinelForTest(master: TestRedis): Promise<{ readonly url: string }> {
  const dir = await mkdtemp(join(tmpdir(), 'bcast-sentinel-'));
  const port = await freePort();
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${dir}`,
    `sentinel monitor main 127.0.0.1 ${master.port} 1`,
    'sentinel down-after-milliseconds main 500',
    'sentinel failover-timeout main 2000',
  ];
  const config = join(dir, 'sentinel.conf');
  await writeFile(config, `${lines.join('\n')}\n`);
  const child = await spawnServer([config, '--sentinel'], '+monitor master main');
  onTestFinished(async () => {
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await exited;
    await rm(dir, { recursive: true, force: true });
  });
  return { url: `redis+sentinel://127.0.0.1:${port}/main` };
}
