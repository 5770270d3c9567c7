import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { redisForTest } from '../helpers/redis.ts';
import { expectSound, type NodeProcess, report, startNodes } from './node-process.ts';
import { startEcho, startTalk, summary } from './talk.ts';

/** Not quite as long as what nodes hold lasts, and much longer than a request may take; the soak stops it for longer. */
const STOPPED_MS = Number(process.env['BCAST_SOAK_STOPPED_MS'] ?? 10_000);

test('while Redis stands still people on one node hear each other, and afterwards all is stored once and in order', {
  timeout: STOPPED_MS + 120_000,
}, async () => {
  const redis = await redisForTest();
  const nodes = (await startNodes([redis.url, redis.url])) as [NodeProcess, NodeProcess];
  const talk = await startTalk(nodes, 'den');
  const echo = await startEcho(nodes[0], 'den');
  await talk.more(100);
  const before = talk.acknowledged.length;
  const heardBefore = echo.latencies().length;
  redis.pause();
  await sleep(STOPPED_MS);
  const heardMeanwhile = echo.latencies().slice(heardBefore);
  const acknowledgedMeanwhile = talk.acknowledged.length - before;
  redis.resume();
  const resumedMs = performance.now();
  await talk.more(20);
  const backMs = performance.now() - resumedMs;
  await talk.more(100);
  await echo.stop();
  await talk.finish();
  // Nothing can have been acknowledged but what was on its way.
  expect(acknowledgedMeanwhile).toBeLessThanOrEqual(talk.speakers.length * 2);
  expect(heardMeanwhile.length).toBeGreaterThan(STOPPED_MS / 200);
  expectSound(nodes);
  report(`Redis stopped for ${STOPPED_MS} ms`, {
    'local echo meanwhile': summary(heardMeanwhile),
    'local echo all along': summary(echo.latencies()),
    'acknowledged again after ms': Math.round(backMs),
    'messages acknowledged and found': talk.acknowledged.length,
    'names lost': nodes.filter((node) => node.log().includes('was taken by somebody else')).length,
  });
});
