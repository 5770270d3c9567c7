import { expect, test, vi } from 'vitest';
import { redisClusterForTest, type TestRedisCluster } from '../helpers/redis-cluster.ts';
import { expectSound, type NodeProcess, report, startNodes } from './node-process.ts';
import { startEcho, startTalk, summary } from './talk.ts';

const PATIENCE = { timeout: 90_000, interval: 100 };

test('a Cluster of three masters and three replicas that loses a master: nothing acknowledged is lost or told twice', {
  timeout: 240_000,
}, async () => {
  const cluster = await redisClusterForTest({ replicas: 1 });
  const nodes = (await startNodes([cluster.url, cluster.url], { BCAST_REDIS_WAIT: '1' })) as [NodeProcess, NodeProcess];
  const rooms = ['den', 'attic', 'cellar', 'porch'];
  const talks = await Promise.all(rooms.map((room) => startTalk(nodes, room, 1)));
  const echo = await startEcho(nodes[0], 'den');
  await Promise.all(talks.map((talk) => talk.more(50)));
  const master = await masterOf(cluster, 'bcast:{den}:head');
  const replica = cluster.replicas[cluster.masters.indexOf(master)]?.[0] as TestRedisCluster['masters'][0];
  await master.kill();
  const killedMs = performance.now();
  await vi.waitFor(async () => expect(await replica.admin.info('replication')).toContain('role:master'), PATIENCE);
  const electedMs = performance.now() - killedMs;
  // With one replica less nothing would count as stored: the old master comes back as one.
  await master.start();
  const startedMs = performance.now();
  await Promise.all(talks.map((talk) => talk.more(20)));
  const backMs = performance.now() - startedMs;
  await Promise.all(talks.map((talk) => talk.more(50)));
  await echo.stop();
  for (const talk of talks) await talk.finish();
  expectSound(nodes);
  report('a Cluster that lost a master', {
    'replica rules after ms': Math.round(electedMs),
    'acknowledged in all rooms again after ms': Math.round(backMs),
    'local echo all along': summary(echo.latencies()),
    'messages acknowledged and found': talks.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0),
  });
});

/** The server that has that key. */
async function masterOf({ masters }: TestRedisCluster, key: string): Promise<TestRedisCluster['masters'][0]> {
  for (const master of masters) {
    const keys = await master.admin.keys('*');
    if (keys.includes(key)) return master;
  }
  throw new Error(`no server has ${key}`);
}
