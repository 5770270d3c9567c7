import { expect, test, vi } from 'vitest';
import { requireRoomName } from '../../lib/protocol/names.ts';
import { enterPeer, newIdentity, type Peer } from '../helpers/peer.ts';
import { redisForTest } from '../helpers/redis.ts';
import { expectSound, type NodeProcess, report, startNodes } from './node-process.ts';
import { startEcho, startTalk, summary } from './talk.ts';

const PATIENCE = { timeout: 60_000, interval: 50 };
const VAULT = requireRoomName('vault');

test.each([
  { what: 'with its data', withData: true },
  { what: 'without its data', withData: false },
])(
  'a Redis that was killed and came back $what: nothing is told twice and nobody gets in uninvited',
  {
    timeout: 180_000,
  },
  async ({ what, withData }) => {
    const redis = await redisForTest({ isPersistent: true });
    const nodes = (await startNodes([redis.url, redis.url])) as [NodeProcess, NodeProcess];
    const [one, two] = nodes;
    const vault = await lockedRoom(one);
    const talk = await startTalk(nodes, 'den');
    const echo = await startEcho(one, 'den');
    await talk.more(100);
    await redis.kill();
    await redis.start({ withData });
    const startedMs = performance.now();
    const intruder = enterPeer('intruder', { port: two.port }).catch(() => undefined);
    await talk.more(50);
    const backMs = performance.now() - startedMs;
    // The code that was in force, and no other, opens the room, on the node that knows it and on the one that does not.
    await (await intruder)?.ask(join(null)).catch(() => undefined);
    for (const [i, { port }] of nodes.entries()) {
      const stranger = await vi.waitFor(() => enterPeer(`stranger-${i}`, { port }), PATIENCE);
      for (const code of [null, vault.oldCode, 'AAAAA']) {
        expect(await vi.waitFor(() => answered(stranger, code), PATIENCE)).toMatchObject({ type: 'error', code: 4001 });
      }
      expect(await stranger.ask(join(vault.code))).toMatchObject({ type: 'ok' });
      const banned = await enterPeer('banned', { port, identity: vault.banned });
      expect(await banned.ask(join(vault.code))).toMatchObject({ type: 'error', code: 4009 });
      banned.transport.destroy();
    }
    expect(vault.owner.seen('presence').flatMap(({ changes }) => changes.map(({ name }) => name))).not.toContain(
      'intruder',
    );
    expect(await vault.owner.ask({ type: 'code', room: VAULT })).toMatchObject({ type: 'ok' });
    await talk.more(50);
    await echo.stop();
    await talk.finish({ mayLose: !withData });
    expectSound(nodes);
    report(`Redis killed and started ${what}`, {
      'acknowledged again after ms': Math.round(backMs),
      'local echo all along': summary(echo.latencies()),
      'messages acknowledged': talk.acknowledged.length,
      'highest seq': Math.max(...talk.acknowledged.map(({ seq }) => seq)),
    });
  },
);

function join(code: string | null) {
  return { type: 'join', room: VAULT, watch: true, code, create: null } as const;
}

/** The server's word on a code, once it can give one. */
async function answered(peer: Peer, code: string | null) {
  const answer = await peer.ask(join(code));
  if (answer.type === 'error' && answer.code === 1013) throw new Error('Redis is not back yet');
  return answer;
}

/** A locked room whose code was changed once, with somebody who is banned from it. */
async function lockedRoom({ port }: NodeProcess) {
  const owner = await enterPeer('owner', { port });
  expect(await owner.ask({ ...join(null), create: 'locked' })).toMatchObject({ type: 'ok' });
  const oldCode = owner.seen('joined')[0]?.code as string;
  expect(await owner.ask({ type: 'code', room: VAULT })).toMatchObject({ type: 'ok' });
  const code = owner.seen('code')[0]?.code as string;
  const banned = newIdentity();
  const target = banned.fingerprint;
  const ban = { type: 'ban', room: VAULT, target, penalty: 'ban', durationMs: null, reason: null } as const;
  expect(await owner.ask(ban)).toMatchObject({ type: 'ok' });
  return { owner, oldCode, code, banned };
}
