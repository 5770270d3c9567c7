import { expect, test, vi } from 'vitest';
import { startCuttingProxy } from '../helpers/cutting-proxy.ts';
import { enterClient } from '../helpers/live-client.ts';
import { redisForTest } from '../helpers/redis.ts';
import { expectSound, type NodeProcess, report, startNodes } from './node-process.ts';
import { startEcho, startTalk, summary } from './talk.ts';

const PATIENCE = { timeout: 60_000, interval: 50 };

test('a node cut off from Redis but not from its clients lets them talk, is taken for gone, and comes back with all', {
  timeout: 180_000,
}, async () => {
  const redis = await redisForTest();
  const proxy = await startCuttingProxy(redis.port);
  const nodes = (await startNodes([redis.url, `redis://127.0.0.1:${proxy.port}`])) as [NodeProcess, NodeProcess];
  const [one, two] = nodes;
  const talk = await startTalk(nodes, 'den');
  const echo = await startEcho(two, 'den');
  const witness = await enterClient(one, 'witness');
  await witness.client.join('den', { watch: true });
  await talk.more(100);
  const names = async () => (await witness.client.names('den')).map(({ name }) => name as string).sort();
  const everybody = await vi.waitFor(async () => {
    const all = await names();
    expect(all).toHaveLength(7);
    return all;
  }, PATIENCE);
  proxy.block();
  const cutMs = performance.now();
  const heardBefore = echo.latencies().length;
  const ofOne = everybody.filter((name) => name === 'witness' || name.startsWith('den-speaker-0'));
  await vi.waitFor(async () => expect(await names()).toEqual(ofOne), PATIENCE);
  const goneMs = performance.now() - cutMs;
  const heardMeanwhile = echo.latencies().slice(heardBefore);
  expect(heardMeanwhile.length).toBeGreaterThan(goneMs / 200);
  proxy.unblock();
  const backMs = performance.now();
  await vi.waitFor(async () => expect(await names()).toEqual(everybody), PATIENCE);
  const listsMs = performance.now() - backMs;
  await talk.more(100);
  await echo.stop();
  await talk.finish();
  expectSound(nodes);
  report('a node cut off from Redis', {
    'taken for gone after ms': Math.round(goneMs),
    'local echo meanwhile': summary(heardMeanwhile),
    'lists right again after ms': Math.round(listsMs),
    'messages acknowledged and found': talk.acknowledged.length,
  });
});
