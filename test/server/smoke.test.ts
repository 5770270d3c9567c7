import { expect, test } from 'vitest';
import { enterPeer } from '../helpers/peer.ts';
import { startServer } from '../helpers/server.ts';

test('carries a message from one peer to another', async () => {
  const { port } = await startServer();
  const alice = await enterPeer('alice', { port });
  const bob = await enterPeer('bob', { port });
  await alice.join('lobby');
  expect(await bob.join('lobby')).toMatchObject({ last: 0, first: 1, members: 2, keep: 10_000 });
  expect(await alice.say('lobby', 'hello')).toMatchObject({ type: 'ok', seq: 1 });
  expect(await bob.nextOf('message')).toMatchObject({
    from: 'alice',
    body: 'hello',
    seq: 1,
    fp: alice.identity.fingerprint,
  });
});
