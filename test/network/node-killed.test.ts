import { expect, test, vi } from 'vitest';
import { enterClient } from '../helpers/live-client.ts';
import { enterPeer } from '../helpers/peer.ts';
import { redisForTest } from '../helpers/redis.ts';
import { expectSound, type NodeProcess, report, startNodes } from './node-process.ts';
import { startTalk } from './talk.ts';

const PATIENCE = { timeout: 60_000, interval: 50 };

test('a killed node leaves no ghosts: its names are free and all lists right, and the others talk on', {
  timeout: 120_000,
}, async () => {
  const redis = await redisForTest();
  const nodes = (await startNodes([redis.url, redis.url, redis.url])) as [NodeProcess, NodeProcess, NodeProcess];
  const [one, two, three] = nodes;
  const talk = await startTalk([one, two], 'den');
  const witness = await enterClient(one, 'witness');
  await witness.client.join('den', { watch: true });
  for (const name of ['ghost-1', 'ghost-2']) await (await enterPeer(name, { port: three.port })).join('den');
  const here = async () => (await witness.client.names('den')).map(({ name }) => name as string).sort();
  await vi.waitFor(async () => expect(await here()).toContain('ghost-2'), PATIENCE);
  const everybody = await here();
  await talk.more(50);
  await three.kill();
  const killedMs = performance.now();
  await expect(enterPeer('ghost-1', { port: two.port })).rejects.toThrow('2005');
  const rest = everybody.filter((name) => !name.startsWith('ghost'));
  await vi.waitFor(async () => expect(await here()).toEqual(rest), PATIENCE);
  const listsMs = performance.now() - killedMs;
  await vi.waitFor(() => enterPeer('ghost-1', { port: two.port }), PATIENCE);
  const namesMs = performance.now() - killedMs;
  const rooms = await witness.client.rooms();
  expect(rooms).toMatchObject([{ room: 'den', members: rest.length }]);
  const left = witness.events.flatMap((event) => (event.type === 'presence' ? event.changes : []));
  const ghosts = left.filter(({ change, name }) => change === 'leave' && name.startsWith('ghost'));
  expect(ghosts.map(({ name }) => name).sort()).toEqual(['ghost-1', 'ghost-2']);
  await talk.more(50);
  await talk.finish();
  expectSound([one, two]);
  report('a node killed by kill -9', {
    'lists right after ms': Math.round(listsMs),
    'names free after ms': Math.round(namesMs),
    'messages acknowledged and found': talk.acknowledged.length,
  });
});
