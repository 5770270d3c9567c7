import { describe, expect, test } from 'vitest';
import { ERRORS } from '../../lib/errors.ts';
import type { RoomName } from '../../lib/protocol/names.ts';
import { ManualClock } from '../helpers/manual-clock.ts';
import { enterPeer } from '../helpers/peer.ts';
import { startServer } from '../helpers/server.ts';

describe('a reload', () => {
  test('says what holds now and what waits for a restart, in its answer and in the log', async () => {
    const { reload, log } = await startServer();
    const told = reload({ maxRooms: 7, motd: 'Be kind.', host: '127.0.0.9', historyMessages: 5 });
    expect(told).toEqual({
      changed: [
        { option: 'motd', before: null, after: 'Be kind.' },
        { option: 'max-rooms', before: '100000', after: '7' },
      ],
      waiting: [
        { option: 'host', before: '127.0.0.1', after: '127.0.0.9' },
        { option: 'history-messages', before: '10000', after: '5' },
      ],
    });
    const line = log.text.split('\n').find((text) => text.includes('"msg":"reloaded"'));
    expect(JSON.parse(line ?? '')).toMatchObject(told);
    expect(reload({})).toEqual({ changed: [], waiting: told.waiting });
    expect(reload({ host: '127.0.0.1', historyMessages: 10_000 })).toEqual({ changed: [], waiting: [] });
  });

  test('of what is not valid changes nothing and says why', async () => {
    const { reload, port, log } = await startServer();
    expect(() => reload({ motd: 'x'.repeat(5_000), maxRoomsPerUser: 1 })).toThrow(
      expect.objectContaining({ code: 'CONFIG', message: 'The motd is longer than 4096 bytes.' }),
    );
    expect(log.text).toContain('reload refused, nothing has changed: The motd is longer than 4096 bytes.');
    const alice = await enterPeer('alice', { port });
    await alice.join('one');
    await alice.join('two');
    expect(await alice.nextOf('welcome')).toMatchObject({ motd: null });
  });

  test('is logged at the level that lets it through', async () => {
    const { reload, log } = await startServer({ logLevel: 'info' });
    reload({ logLevel: 'error' });
    reload({ maxRooms: 3 });
    reload({ logLevel: 'info' });
    const reloads = log.text.split('\n').filter((line) => line.includes('reloaded'));
    expect(reloads.map((line) => JSON.parse(line).changed[0].after)).toEqual(['error', 'info']);
  });

  test('reaches those who are in already', async () => {
    const { reload, port } = await startServer();
    const alice = await enterPeer('alice', { port });
    await alice.join('den');
    expect(await alice.say('den', 'twelve bytes')).toMatchObject({ type: 'ok' });
    reload({ maxBodyBytes: 11, maxRoomsPerUser: 1 });
    expect(await alice.say('den', 'twelve bytes')).toMatchObject({ code: ERRORS.MESSAGE_TOO_LARGE.wire });
    await expect(alice.join('two')).rejects.toThrow(String(ERRORS.TOO_MANY_ROOMS.wire));
  });

  test('gives and takes the power of admins who are in', async () => {
    const { reload, port } = await startServer();
    const alice = await enterPeer('alice', { port });
    await enterPeer('bob', { port });
    const kick = { type: 'kick', room: null, name: 'bob' as never, reason: null } as const;
    reload({ admins: [alice.identity.fingerprint] });
    expect(await alice.ask(kick)).toMatchObject({ type: 'ok' });
    reload({ admins: [] });
    expect(await alice.ask(kick)).toMatchObject({ code: ERRORS.NOT_ALLOWED.wire });
  });

  test('refills the allowance of those who are in by the new measure', async () => {
    const clock = new ManualClock();
    const { reload, port } = await startServer({ messagesPerSecond: 1, messageBurst: 2, clock });
    const alice = await enterPeer('alice', { port });
    await alice.join('den');
    await alice.say('den', 'one');
    reload({ messagesPerSecond: 100, messageBurst: 100 });
    clock.advance(1_000);
    for (let i = 0; i < 100; i += 1) expect(await alice.say('den', 'more')).toMatchObject({ type: 'ok' });
    expect(await alice.say('den', 'too much')).toMatchObject({ code: ERRORS.SLOW_DOWN.wire });
  });

  test('closes nobody for a silence they were allowed', async () => {
    const clock = new ManualClock();
    const { reload, port } = await startServer({ idleTimeout: 60_000, clock });
    const alice = await enterPeer('alice', { port });
    reload({ idleTimeout: 5_000 });
    const bob = await enterPeer('bob', { port });
    clock.advance(10_000);
    await bob.closed;
    expect(bob.seen('error')).toMatchObject([{ code: ERRORS.IDLE_TIMEOUT.wire }]);
    expect(await alice.ask({ type: 'ping' })).toMatchObject({ type: 'ok' });
  });

  test('throws nobody out: what is over a new limit only grows no more', async () => {
    const { reload, port } = await startServer();
    const alice = await enterPeer('a-rather-long-name', { port });
    const { identity } = alice;
    const other = await enterPeer('a-rather-long-name', { port, identity });
    await alice.join('a-rather-long-room');
    reload({ maxNameLength: 5, maxRoomNameLength: 5, maxSessionsPerUser: 1, maxConnections: 1 });
    expect(await alice.say('a-rather-long-room', 'here')).toMatchObject({ type: 'ok' });
    expect(await other.join('a-rather-long-room')).toMatchObject({ room: 'a-rather-long-room' as RoomName });
  });
});
