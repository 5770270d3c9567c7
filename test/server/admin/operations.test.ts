import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { askServer } from '../../../lib/cli/admin-client.ts';
import { ERRORS } from '../../../lib/errors.ts';
import { enterPeer, openPeer } from '../../helpers/peer.ts';
import { scratchDir } from '../../helpers/scratch-dir.ts';
import { startServer, type TestServerOptions } from '../../helpers/server.ts';

/** A server with an admin socket, and how to ask it. */
async function start(options: TestServerOptions = {}) {
  const directory = scratchDir();
  const server = await startServer({ adminSocketOf: () => join(directory, 'a.sock'), ...options });
  const { port, fingerprint, adminSocket } = server;
  const local = { url: '', host: '127.0.0.1', port, fingerprint, pid: process.pid, startedMs: 1, adminSocket };
  return { ...server, local };
}

describe('over the admin socket', () => {
  test('status counts', async () => {
    const { local, port, fingerprint } = await start();
    const alice = await enterPeer('alice', { port });
    await enterPeer('alice', { port, identity: alice.identity });
    await openPeer({ port });
    await alice.join('den');
    expect(await askServer(local, 'status', {})).toMatchObject({
      server: 'bcast test',
      pid: process.pid,
      port,
      fingerprint,
      connections: 3,
      sessions: 2,
      users: 1,
      rooms: 1,
      occupiedRooms: 1,
      bans: 0,
      historyMessages: 10_000,
      outage: null,
    });
  });

  test('rooms come with the largest first, and no more than were asked for', async () => {
    const { local, port } = await start();
    const [alice, bob] = [await enterPeer('alice', { port }), await enterPeer('bob', { port })];
    await alice.join('quiet');
    await alice.join('den');
    await bob.join('den');
    await alice.ask({ type: 'topic', room: 'den' as never, topic: 'Tea' });
    await alice.say('den', 'hello');
    expect(await askServer(local, 'rooms', { limit: 1 })).toEqual({
      total: 2,
      rows: [{ room: 'den', users: 2, sessions: 2, lastSeq: 1, owner: 'alice', topic: 'Tea', bans: 0 }],
    });
  });

  test('sessions come with the oldest first, those without a name too', async () => {
    const { local, port } = await start();
    const alice = await enterPeer('alice', { port });
    await alice.join('den');
    await openPeer({ port });
    const { total, rows } = await askServer(local, 'sessions', { limit: null });
    expect(total).toBe(2);
    const { fingerprint } = alice.identity;
    expect(rows).toMatchObject([
      { user: 'alice', fingerprint, agent: 'test', address: '127.0.0.1', rooms: 1, waitingBytes: 0 },
      { user: null, fingerprint: null, agent: null, address: '127.0.0.1', rooms: 0, waitingBytes: 0 },
    ]);
  });

  test('kick takes a user off, and says why', async () => {
    const { local, port, log } = await start();
    const bob = await enterPeer('bob', { port });
    expect(await askServer(local, 'kick', { user: 'BOB', reason: 'enough' })).toEqual({ user: 'BOB' });
    await bob.closed;
    expect(bob.seen('error').at(-1)).toMatchObject({
      code: ERRORS.KICKED.wire,
      text: 'You were removed from this server by operator: enough.',
    });
    expect(log.text).toMatch(/"by":"operator","user":"BOB","reason":"enough"/);
    await enterPeer('bob', { port });
    await expect(askServer(local, 'kick', { user: 'carol', reason: null })).rejects.toMatchObject({
      code: 'NO_SUCH_USER',
    });
    await expect(askServer(local, 'kick', { user: 'a b', reason: null })).rejects.toMatchObject({
      code: 'NAME_INVALID',
    });
  });

  test('ban keeps out until it ends or is lifted', async () => {
    const { local, port } = await start();
    const bob = await enterPeer('bob', { port });
    const { untilMs } = await askServer(local, 'ban', { target: 'bob', durationMs: 60_000, reason: 'loud' });
    await bob.closed;
    expect(bob.seen('error').at(-1)).toMatchObject({ code: ERRORS.BANNED.wire, untilMs });
    expect(await askServer(local, 'bans', {})).toEqual([{ target: 'bob', by: 'operator', untilMs, reason: 'loud' }]);
    await expect(enterPeer('bob', { port })).rejects.toThrow(String(ERRORS.BANNED.wire));
    await askServer(local, 'unban', { target: 'BOB' });
    await enterPeer('bob', { port });
    expect(await askServer(local, 'bans', {})).toEqual([]);
    await expect(askServer(local, 'unban', { target: 'bob' })).rejects.toMatchObject({ code: 'NO_SUCH_USER' });
    await expect(askServer(local, 'ban', { target: 'a b', durationMs: null, reason: null })).rejects.toMatchObject({
      code: 'BAD_REQUEST',
    });
  });

  test('an address that gave too many wrong passwords is listed, and let in again', async () => {
    const { local, port, log } = await start({ auth: 'accounts', loginAttempts: 1 });
    await askServer(local, 'addUser', { name: 'bob', password: 'bob-secret', fingerprint: null, role: 'user' });
    await expect(enterPeer('bob', { port, password: 'wrong-secret' })).rejects.toThrow(String(ERRORS.AUTH_FAILED.wire));
    await expect(enterPeer('bob', { port, password: 'bob-secret' })).rejects.toMatchObject({ code: 'BANNED' });
    expect(log.text).toContain('shut out: wrong passwords');
    expect(await askServer(local, 'bans', {})).toMatchObject([
      { target: '127.0.0.1', by: 'server', reason: 'too many wrong passwords' },
    ]);
    await askServer(local, 'unban', { target: '127.0.0.1' });
    expect(await askServer(local, 'bans', {})).toEqual([]);
    await enterPeer('bob', { port, password: 'bob-secret' });
    await expect(askServer(local, 'unban', { target: '127.0.0.1' })).rejects.toMatchObject({ code: 'NO_SUCH_USER' });
  });

  test('reload says what it changed, and a refused one why', async () => {
    const { local, reconfigure } = await start();
    reconfigure({ maxRooms: 3, host: '127.0.0.9' });
    expect(await askServer(local, 'reload', {})).toEqual({
      changed: [{ option: 'max-rooms', before: '100000', after: '3' }],
      waiting: [{ option: 'host', before: '127.0.0.1', after: '127.0.0.9' }],
    });
    reconfigure({ motd: 'x'.repeat(5_000) });
    await expect(askServer(local, 'reload', {})).rejects.toMatchObject({
      code: 'CONFIG',
      message: 'The motd is longer than 4096 bytes.',
    });
  });

  test('backup of a store without a file is refused', async () => {
    const { local } = await start();
    await expect(askServer(local, 'backup', { path: '/nowhere' })).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      message: 'The store of this server is no file: there is nothing to back up here.',
    });
  });

  test.each([
    ['no JSON', 'status'],
    ['no object', '[]'],
    ['null', 'null'],
    ['no operation', '{}'],
    ['an unknown one', '{"op":"explode"}'],
    ['one that only objects have', '{"op":"constructor"}'],
    ['one of a strange kind', '{"op":["status"]}'],
    ['an argument nobody asked for', '{"op":"status","limit":1}'],
    ['one of a wrong kind', '{"op":"rooms","limit":"1"}'],
    ['one that is too large', '{"op":"rooms","limit":10001}'],
    ['none where one is needed', '{"op":"kick"}'],
    ['an empty text', '{"op":"kick","user":""}'],
    ['a text that is too long', `{"op":"kick","user":"bob","reason":"${'x'.repeat(513)}"}`],
    ['a path that means another place for the server', '{"op":"backup","path":"x.db"}'],
  ])('%s is refused as such', async (_what, line) => {
    const { adminSocket } = await start();
    const socket = connect({ path: adminSocket as string });
    socket.end(`${line}\n`);
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    expect(JSON.parse(text)).toMatchObject({ ok: false, error: { code: 'BAD_REQUEST', text: expect.any(String) } });
  });

  test('a server without one goes on and says so in the log', async () => {
    const directory = scratchDir();
    const { adminSocket, log, port } = await startServer({
      adminSocketOf: () => join(directory, 'x'.repeat(200), 'a.sock'),
    });
    expect(adminSocket).toBe(null);
    expect(log.text).toContain('there is no admin socket');
    await enterPeer('alice', { port });
  });
});
