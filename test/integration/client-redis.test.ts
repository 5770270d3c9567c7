import { expect, test } from 'vitest';
import { SERVER_OPTIONS } from '../../lib/config/options.ts';
import { enterClient } from '../helpers/live-client.ts';
import { redisForTest } from '../helpers/redis.ts';
import { startServer } from '../helpers/server.ts';

test('while Redis does not answer, what is said and who comes wait, and nothing is lost, doubled or out of order', async () => {
  const redis = await redisForTest({ isSettled: true });
  const redisUrl = SERVER_OPTIONS.redisUrl.kind.parse(redis.url) ?? undefined;
  const server = await startServer({ redisUrl, redisTimeout: 200 });
  const [alice, bob] = [await enterClient(server, 'alice'), await enterClient(server, 'bob')];
  await Promise.all([alice.client.join('lobby'), bob.client.join('lobby')]);
  await alice.client.say('lobby', 'before');
  redis.pause();
  const said = Array.from({ length: 50 }, (_, index) => alice.client.say('lobby', `m${index}`));
  const joining = bob.client.join('attic');
  await bob.until((events) => events.some(({ type }) => type === 'unavailable'));
  redis.resume();
  expect(await joining).toMatchObject({ room: 'attic' });
  const seqs = (await Promise.all(said)).map(({ seq }) => seq);
  expect(seqs).toEqual(Array.from({ length: 50 }, (_, index) => index + 2));
  await bob.until(() => bob.heard >= 51);
  expect(bob.bodies()).toEqual(['before', ...Array.from({ length: 50 }, (_, index) => `m${index}`)]);
  expect(bob.events.some(({ type }) => type === 'gap')).toBe(false);
  // Neither had to come back for it.
  for (const { events } of [alice, bob]) {
    expect(events.filter((event) => event.type === 'status' && event.status.state === 'offline')).toEqual([]);
  }
});
