import { spawn } from 'node:child_process';
import { readdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { makeCertificate } from '../../bench/certificate.ts';
import { SERVER_OPTIONS } from '../../lib/config/options.ts';
import { parseRedisUrl, type RedisAddress } from '../../lib/config/redis-url.ts';
import { ERRORS } from '../../lib/errors.ts';
import type { RoomName, UserName } from '../../lib/protocol/names.ts';
import { connectTcp } from '../../lib/wire/transport/tcp.ts';
import { ManualClock } from '../helpers/manual-clock.ts';
import { enterPeer, newIdentity, newMessageId, openPeer, type Peer } from '../helpers/peer.ts';
import { proxyHeaderFrom } from '../helpers/proxy-header.ts';
import { redisForTest } from '../helpers/redis.ts';
import { freePort } from '../helpers/redis-server.ts';
import { scratchDir } from '../helpers/scratch-dir.ts';
import { startServer, type TestServer, type TestServerOptions } from '../helpers/server.ts';

type Option = keyof typeof SERVER_OPTIONS;

/** Gives a real server these options. */
type Start = (options: TestServerOptions) => Promise<TestServer>;

/** However often a test moves the clock, no session is given up. */
const PATIENT = { handshakeTimeout: 1e9, idleTimeout: 1e9, slowReaderTimeout: 1e9 };

function redisAt(url: string): RedisAddress {
  return parseRedisUrl(url) as RedisAddress;
}

/** What setting an option changes, shown on a real server. The type makes sure that none is left out. */
const EFFECTS: { readonly [O in Option]: readonly [what: string, show: (start: Start) => Promise<void>] } = {
  host: [
    'is the address listened on',
    async (start) => {
      const { port } = await start({ host: '127.0.0.2' });
      await expect(connectTcp({ host: '127.0.0.1', port })).rejects.toMatchObject({ code: 'CONNECT_FAILED' });
      const transport = await connectTcp({ host: '127.0.0.2', port });
      transport.destroy();
    },
  ],
  port: [
    'is the port listened on',
    async (start) => {
      const { port, stop } = await start({});
      expect(port).toBeGreaterThan(0);
      await stop();
      expect((await start({ port })).port).toBe(port);
    },
  ],
  dataDir: [
    'is where the server key lies',
    async (start) => {
      const dataDir = scratchDir();
      const { fingerprint, stop } = await start({ dataDir });
      expect(await readdir(dataDir)).toEqual(['server_key']);
      await stop();
      expect(await start({ dataDir })).toMatchObject({ fingerprint, isNewKey: false });
    },
  ],
  reusePort: [
    'lets several servers share a port, all of which are asked for it',
    async (start) => {
      const shared = { dataDir: scratchDir(), reusePort: true };
      const { port, fingerprint } = await start(shared);
      expect(await start({ ...shared, port })).toMatchObject({ port, fingerprint });
      await expect(start({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    },
  ],
  trustedProxies: [
    'say where a connection comes from',
    async (start) => {
      const { port, log } = await start({ trustedProxies: ['127.0.0.0/8'] });
      await enterPeer('alice', { port, preface: proxyHeaderFrom(Uint8Array.of(203, 0, 113, 9)) });
      expect(log.text).toMatch(/"address":"203\.0\.113\.9".*"msg":"entered"/);
      await expect(openPeer({ port })).rejects.toThrow('closed before it was open');
    },
  ],
  store: [
    'is whether a room goes on after a restart',
    async (start) => {
      const roomAfterRestart = async (store: 'sqlite' | 'memory') => {
        const dataDir = scratchDir();
        const { port, stop } = await start({ dataDir, store });
        const alice = await enterPeer('alice', { port });
        const { incarnation } = await alice.join('den');
        await alice.say('den', 'hi');
        await stop();
        const again = await start({ dataDir, store });
        const joined = await (await enterPeer('alice', { port: again.port })).join('den');
        return { isSame: joined.incarnation === incarnation, last: joined.last };
      };
      expect(await roomAfterRestart('sqlite')).toEqual({ isSame: true, last: 1 });
      expect(await roomAfterRestart('memory')).toEqual({ isSame: false, last: 0 });
    },
  ],
  storeSync: [
    'is whether the disk has a message when it is acknowledged',
    async (start) => {
      // What it does to the disk cannot be seen from here; that the store opens with it can.
      for (const storeSync of ['second', 'always'] as const) {
        const { port } = await start({ store: 'sqlite', storeSync });
        const alice = await enterPeer('alice', { port });
        await alice.join('den');
        expect(await alice.say('den', 'hi')).toMatchObject({ type: 'ok', seq: 1 });
      }
    },
  ],
  redisUrl: [
    'is where a room is for all servers that name it',
    async (start) => {
      const { url } = await redisForTest({ isSettled: true });
      // All servers of a network have the same key.
      const options = { redisUrl: redisAt(url), dataDir: scratchDir() };
      const { port, stop } = await start(options);
      const alice = await enterPeer('alice', { port });
      const { incarnation } = await alice.join('den');
      await alice.say('den', 'hi');
      await stop();
      const again = await start(options);
      const joined = await (await enterPeer('bob', { port: again.port })).join('den');
      expect(joined).toMatchObject({ incarnation, last: 1 });
    },
  ],
  redisPasswordFile: [
    'lets the server in',
    async (start) => {
      const { url, admin } = await redisForTest({ isSettled: true });
      await admin.config('SET', 'requirepass', 's3cret');
      const redisUrl = redisAt(url);
      await expect(start({ redisUrl })).rejects.toMatchObject({ code: 'CONFIG' });
      const redisPasswordFile = join(scratchDir(), 'password');
      await writeFile(redisPasswordFile, 's3cret\n');
      const { port, log } = await start({ redisUrl, redisPasswordFile });
      await (await enterPeer('alice', { port })).join('den');
      expect(log.text).not.toContain('s3cret');
    },
  ],
  redisCa: [
    'is what Redis is trusted by',
    async (start) => {
      const { certFile, keyFile } = makeCertificate(scratchDir());
      const tls = { 'tls-cert-file': certFile, 'tls-key-file': keyFile, 'tls-auth-clients': 'no' };
      const tlsPort = await freePort();
      await redisForTest({ isSettled: true, config: { ...tls, 'tls-port': String(tlsPort) } });
      const redisUrl = redisAt(`rediss://127.0.0.1:${tlsPort}`);
      await expect(start({ redisUrl })).rejects.toMatchObject({ code: 'CONFIG' });
      const { port } = await start({ redisUrl, redisCa: certFile });
      await (await enterPeer('alice', { port })).join('den');
    },
  ],
  redisWait: [
    'is how many replicas must have what is stored',
    async (start) => {
      const master = await redisForTest({ isSettled: true });
      const options = { redisUrl: redisAt(master.url), redisWait: 1, dataDir: scratchDir() };
      await expect(start(options)).rejects.toMatchObject({
        code: 'UNAVAILABLE',
        cause: { message: '0 of 1 replicas have what was written' },
      });
      await redisForTest({ config: { replicaof: `127.0.0.1 ${master.port}` } });
      const { port } = await vi.waitFor(() => start(options), 15_000);
      const alice = await enterPeer('alice', { port });
      await alice.join('den');
      expect(await alice.say('den', 'hi')).toMatchObject({ type: 'ok', seq: 1 });
    },
  ],
  redisTimeout: [
    'is how long Redis may take to answer',
    async (start) => {
      const redis = await redisForTest({ isSettled: true });
      const { port, log } = await start({ redisUrl: redisAt(redis.url), redisTimeout: 1_000 });
      const alice = await enterPeer('alice', { port });
      await alice.join('den');
      redis.pause();
      const said = alice.say('den', 'hi');
      await vi.waitFor(() => expect(log.text).toContain('Redis is lost'), 10_000);
      redis.resume();
      expect(await said).toMatchObject({ type: 'ok', seq: 1 });
      expect(log.text).toContain('Redis is back');
    },
  ],
  redisPrefix: [
    'is what all keys begin with',
    async (start) => {
      const redis = await redisForTest();
      await redis.admin.set('other:epoch', 1);
      const { port } = await start({ redisUrl: redisAt(redis.url), redisPrefix: 'other' });
      const alice = await enterPeer('alice', { port });
      await alice.join('den');
      await alice.say('den', 'hi');
      const keys = await redis.admin.keys('*');
      expect(keys.length).toBeGreaterThan(3);
      expect(keys.filter((key) => !key.startsWith('other:'))).toEqual([]);
    },
  ],
  historyMessages: [
    'is how many messages of a room are kept',
    async (start) => {
      const { port } = await start({ historyMessages: 2 });
      const alice = await enterPeer('alice', { port });
      await alice.join('den');
      for (const body of ['one', 'two', 'three']) await alice.say('den', body);
      expect(await alice.join('den')).toMatchObject({ keep: 2, first: 2, last: 3 });
      await alice.ask({ type: 'history', room: 'den' as RoomName, after: 0, before: null, sinceMs: null, limit: 9 });
      expect((await alice.nextOf('history')).messages.map(({ body }) => body)).toEqual(['two', 'three']);
    },
  ],
  historyAge: [
    'is how long messages are kept',
    async (start) => {
      const clock = new ManualClock();
      const { port } = await start({ historyAge: 60_000, clock });
      const alice = await enterPeer('alice', { port });
      await alice.join('den');
      await alice.say('den', 'old');
      clock.advance(60_001);
      await alice.say('den', 'new');
      expect(await alice.join('den')).toMatchObject({ first: 2, last: 2 });
    },
  ],
  auth: [
    'lets only registered users in',
    async (start) => {
      const { port } = await start({ auth: 'accounts' });
      await expect(enterPeer('alice', { port })).rejects.toThrow(`${ERRORS.AUTH_REQUIRED.wire}`);
    },
  ],
  loginAttempts: [
    'is how many wrong passwords shut an address out',
    async (start) => {
      const clock = new ManualClock();
      const { port } = await start({ auth: 'accounts', loginAttempts: 2, loginWindow: 1e8, ...PATIENT, clock });
      expect(await giveWrongPasswords({ port, clock }, 3)).toEqual(['AUTH_FAILED', 'AUTH_FAILED', 'BANNED']);
    },
  ],
  loginWindow: [
    'is how long an address is shut out',
    async (start) => {
      const clock = new ManualClock();
      const { port } = await start({
        auth: 'accounts',
        loginAttempts: 1,
        loginWindow: 1e8,
        ...PATIENT,
        clock,
      });
      expect(await giveWrongPasswords({ port, clock }, 2)).toEqual(['AUTH_FAILED', 'BANNED']);
      clock.advance(1e8);
      // The server's clock stands still for a turn of the event loop, and may have been read in this one.
      for (let i = 0; i < 2; i += 1) await new Promise((resolve) => setImmediate(resolve));
      expect(await giveWrongPasswords({ port, clock }, 1)).toEqual(['AUTH_FAILED']);
    },
  ],
  codeGuesses: [
    'is how many wrong codes are heard',
    async (start) => {
      const { port } = await start({ codeGuesses: 1 });
      expect(await guessCodes(port, 3)).toEqual([0, 1, 1]);
    },
  ],
  codeWindow: [
    'is how long wrong codes are held against one',
    async (start) => {
      const clock = new ManualClock();
      const { port } = await start({ codeGuesses: 1, codeWindow: 60_000, clock });
      expect(await guessCodes(port, 2)).toEqual([0, 1]);
      clock.advance(60_000);
      expect(await guessCodes(port, 2)).toEqual([0, 1]);
    },
  ],
  maxNamesPerKey: [
    'is how many names one key may register',
    async (start) => {
      const identity = newIdentity();
      const { port } = await start({ maxNamesPerKey: 1 });
      const answers: string[] = [];
      for (const name of ['alice', 'bob']) {
        const peer = await enterPeer(name, { port, identity });
        answers.push((await peer.ask({ type: 'register', password: null })).type);
      }
      expect(answers).toEqual(['ok', 'error']);
    },
  ],
  admins: [
    'may do everything',
    async (start) => {
      const identity = newIdentity();
      const { port } = await start({ admins: [identity.fingerprint] });
      const bob = await enterPeer('bob', { port });
      const root = await enterPeer('root', { port, identity });
      expect(await root.nextOf('welcome')).toMatchObject({ role: 'admin' });
      await root.ask({ type: 'kick', room: null, name: 'bob' as never, reason: 'enough' });
      await bob.closed;
      expect(bob.seen('error').at(-1)).toMatchObject({ req: null, code: ERRORS.KICKED.wire });
    },
  ],
  motd: [
    'is shown to everybody, and may be as long as the protocol lets it',
    async (start) => {
      const motd = '日'.repeat(1_365);
      const { port } = await start({ motd });
      expect(await (await enterPeer('alice', { port })).nextOf('welcome')).toMatchObject({ motd });
      await expect(start({ motd: `${motd}xx` })).rejects.toMatchObject({ code: 'CONFIG' });
    },
  ],
  logLevel: [
    'is how much is logged',
    async (start) => {
      const { port, log } = await start({ logLevel: 'warn' });
      await enterPeer('alice', { port });
      expect(log.text).not.toContain('"msg":"entered"');
      expect((await startProgram('--log-level', 'info', '--log-format', 'json')).log).toContain('"msg":"ready"');
      expect((await startProgram('--log-level', 'warn', '--log-format', 'json')).log).toBe('');
    },
  ],
  logFormat: [
    'is how it is written',
    async () => {
      expect((await startProgram('--log-format', 'pretty')).log).not.toMatch(/^\{/);
      expect((await startProgram('--log-format', 'auto')).log).toMatch(/^\{/);
    },
  ],
  maxConnections: [
    'is how many connections there may be',
    async (start) => {
      const { port } = await start({ maxConnections: 2 });
      const peers = [await openPeer({ port }), await openPeer({ port })];
      await expect(openPeer({ port })).rejects.toMatchObject({ code: 'SERVER_FULL' });
      await goneFrom(peers[0] as Peer, port);
    },
  ],
  maxConnectionsPerAddress: [
    'is how many one address may have',
    async (start) => {
      const { port } = await start({ host: '0.0.0.0', maxConnectionsPerAddress: 1 });
      const peer = await openPeer({ port });
      await expect(openPeer({ port })).rejects.toMatchObject({ code: 'ADDRESS_FULL' });
      const elsewhere = connect({ host: '127.0.0.1', port, localAddress: '127.0.0.3' });
      onTestFinished(() => void elsewhere.destroy());
      elsewhere.write(Buffer.alloc(4));
      const [bytes] = (await onceOf(elsewhere, 'data')) as [Buffer];
      expect(bytes.toString('latin1')).toMatch(/^bcast: this port/);
      await goneFrom(peer, port);
    },
  ],
  maxSessionsPerUser: [
    'is how often one person may be there',
    async (start) => {
      const { port } = await start({ maxSessionsPerUser: 1 });
      const { identity } = await enterPeer('alice', { port });
      await expect(enterPeer('alice', { port, identity })).rejects.toThrow(String(ERRORS.TOO_MANY_SESSIONS.wire));
    },
  ],
  maxRoomsPerUser: [
    'is how many rooms one user may be in, in all sessions together, and how many one may keep',
    async (start) => {
      const { port } = await start({ maxRoomsPerUser: 1 });
      const alice = await enterPeer('alice', { port });
      await alice.join('one');
      await expect(alice.join('two')).rejects.toThrow(String(ERRORS.TOO_MANY_ROOMS.wire));
      const again = await enterPeer('alice', { port, identity: alice.identity });
      await again.join('one');
      await expect(again.join('two')).rejects.toThrow(String(ERRORS.TOO_MANY_ROOMS.wire));
      const [bob, carol] = [await enterPeer('bob', { port }), await enterPeer('carol', { port })];
      const keep = (room: string, on = true) => ({ type: 'retain', room: room as RoomName, on }) as const;
      await bob.join('three');
      expect(await bob.ask(keep('three'))).toMatchObject({ type: 'ok' });
      await bob.ask({ type: 'leave', room: 'three' as RoomName });
      await bob.join('four');
      expect(await bob.ask(keep('four'))).toMatchObject({ code: ERRORS.TOO_MANY_ROOMS.wire });
      await carol.join('five');
      expect(await carol.ask(keep('five'))).toMatchObject({ type: 'ok' });
    },
  ],
  maxMembersPerRoom: [
    'is how many sessions one room may hold',
    async (start) => {
      const { port } = await start({ maxMembersPerRoom: 1 });
      await (await enterPeer('alice', { port })).join('den');
      await expect((await enterPeer('bob', { port })).join('den')).rejects.toThrow(String(ERRORS.ROOM_FULL.wire));
    },
  ],
  maxRooms: [
    'is how many rooms there may be',
    async (start) => {
      const { port } = await start({ maxRooms: 1 });
      const alice = await enterPeer('alice', { port });
      await alice.join('one');
      await expect(alice.join('two')).rejects.toThrow(String(ERRORS.TOO_MANY_ROOMS.wire));
    },
  ],
  maxNameLength: [
    'is how long a user name may be',
    async (start) => {
      const { port } = await start({ maxNameLength: 3 });
      const bob = await enterPeer('日本語', { port });
      await expect(enterPeer('anna', { port })).rejects.toThrow(String(ERRORS.NAME_INVALID.wire));
      expect(await bob.ask({ type: 'nick', name: 'bobo' as UserName })).toMatchObject({
        code: ERRORS.NAME_INVALID.wire,
      });
    },
  ],
  maxRoomNameLength: [
    'is how long the name of a new room may be',
    async (start) => {
      const { port } = await start({ maxRoomNameLength: 5 });
      const alice = await enterPeer('alice', { port });
      await alice.join('lobby');
      await expect(alice.join('lobby2')).rejects.toThrow(String(ERRORS.ROOM_NAME_INVALID.wire));
    },
  ],
  maxBodyBytes: [
    'is how long a message may be',
    async (start) => {
      const { port } = await start({ maxBodyBytes: 10 });
      const alice = await enterPeer('alice', { port });
      await alice.join('den');
      expect(await alice.nextOf('welcome')).toMatchObject({ maxBodyBytes: 10 });
      expect(await alice.say('den', 'x'.repeat(10))).toMatchObject({ type: 'ok' });
      expect(await alice.say('den', 'x'.repeat(11))).toMatchObject({ code: ERRORS.MESSAGE_TOO_LARGE.wire });
    },
  ],
  messagesPerSecond: [
    'is how fast an allowance comes back',
    (start) => showRate(start, { messagesPerSecond: 4, messageBurst: 1 }, 249),
  ],
  messageBurst: [
    'is how many messages pass at once',
    (start) => showBurst(start, { messageBurst: 3, messagesPerSecond: 1 }, 2),
  ],
  bytesPerSecond: [
    'is how fast bytes are allowed again',
    // The join took 64 bytes and the room a 64th of the burst; the message needs 65.
    (start) => showRate(start, { bytesPerSecond: 100, byteBurst: 100 }, 305),
  ],
  byteBurst: ['is how many bytes pass at once', (start) => showBurst(start, { byteBurst: 300, bytesPerSecond: 1 }, 2)],
  connectAttempts: [
    'is how often one address may connect in a while',
    async (start) => {
      const { port } = await start({ connectAttempts: 3, connectWindow: 60_000, clock: new ManualClock() });
      for (let i = 0; i < 3; i += 1) (await openPeer({ port })).transport.destroy();
      await expect(openPeer({ port })).rejects.toMatchObject({ code: 'TOO_MANY_ATTEMPTS', retryAfterMs: 60_000 });
    },
  ],
  connectWindow: [
    'is that while',
    async (start) => {
      const clock = new ManualClock();
      const { port } = await start({ connectAttempts: 1, connectWindow: 5_000, clock });
      (await openPeer({ port })).transport.destroy();
      await expect(openPeer({ port })).rejects.toMatchObject({ code: 'TOO_MANY_ATTEMPTS', retryAfterMs: 5_000 });
      clock.advance(5_000);
      (await openPeer({ port })).transport.destroy();
    },
  ],
  handshakeTimeout: [
    'is the time until the hello',
    async (start) => {
      const clock = new ManualClock();
      const { port, log } = await start({ handshakeTimeout: 3_000, clock });
      const peer = await openPeer({ port });
      clock.advance(4_000);
      await peer.closed;
      expect(log.text).toContain('"code":"HANDSHAKE_TIMEOUT"');
    },
  ],
  idleTimeout: [
    'is how long somebody may say nothing',
    async (start) => {
      const clock = new ManualClock();
      const { port } = await start({ idleTimeout: 3_000, clock });
      const peer = await enterPeer('alice', { port });
      expect(await peer.nextOf('welcome')).toMatchObject({ idleTimeoutMs: 3_000 });
      clock.advance(4_000);
      await peer.closed;
      expect(peer.seen('error')).toMatchObject([{ req: null, code: ERRORS.IDLE_TIMEOUT.wire }]);
    },
  ],
  pingInterval: [
    'is what clients are told',
    async (start) => {
      const { port } = await start({ pingInterval: 5_000 });
      expect(await (await enterPeer('alice', { port })).nextOf('welcome')).toMatchObject({ pingIntervalMs: 5_000 });
    },
  ],
  publicStatus: [
    'is what anybody is told',
    async (start) => {
      const full = await openPeer({ port: (await start({})).port });
      await full.ask({ type: 'status' });
      expect(full.seen('status')).toMatchObject([{ server: 'bcast test', users: 0, rooms: 0 }]);
      const name = await openPeer({ port: (await start({ publicStatus: 'name' })).port });
      await name.ask({ type: 'status' });
      expect(name.seen('status')).toMatchObject([{ server: 'bcast test', uptimeMs: null, users: null, rooms: null }]);
      const none = await openPeer({ port: (await start({ publicStatus: 'none' })).port });
      expect(await none.ask({ type: 'status' })).toMatchObject({ code: ERRORS.NOT_ALLOWED.wire });
      await none.closed;
    },
  ],
  slowReaderTimeout: [
    'is how long somebody may read nothing',
    async (start) => {
      const clock = new ManualClock();
      const options = { slowReaderTimeout: 7_000, historyMessages: 200, messageBurst: 1e6, byteBurst: 1e9 };
      const { port, log } = await start({ ...options, clock });
      const { bob, alice } = await fillUp(port);
      for (let i = 0; i < 9; i += 1) {
        clock.advance(1_000);
        await alice.settle();
      }
      bob.transport.resume();
      await bob.closed;
      expect(log.text).toContain('"code":"SLOW_READER"');
    },
  ],
  sendQueueBytes: [
    'is how many bytes may wait for one client',
    (start) => showLagged(start, { sendQueueBytes: 65_536 }),
  ],
  sendQueueMessages: [
    'is how many messages may wait for one client',
    (start) => showLagged(start, { sendQueueMessages: 16 }),
  ],
  emptyRoomTtl: [
    'is how long a room outlives its last member',
    async (start) => {
      const clock = new ManualClock();
      const { port } = await start({ emptyRoomTtl: 1_000, clock });
      const alice = await enterPeer('alice', { port });
      const { incarnation } = await alice.join('den');
      await alice.ask({ type: 'leave', room: 'den' as RoomName });
      clock.advance(999);
      expect(await alice.join('den')).toMatchObject({ incarnation });
      await alice.ask({ type: 'leave', room: 'den' as RoomName });
      alice.events.length = 0;
      clock.advance(1_000);
      expect((await alice.join('den')).incarnation).not.toBe(incarnation);
    },
  ],
  drainTimeout: [
    'is how long a server waits for its clients when it stops',
    async (start) => {
      const clock = new ManualClock();
      const options = { drainTimeout: 2_000, historyMessages: 200, messageBurst: 1e6, byteBurst: 1e9 };
      const { port, stop, log } = await start({ ...options, clock });
      await fillUp(port);
      let isStopped = false;
      const stopped = stop().then(() => {
        isStopped = true;
      });
      await logged(log, 'shutting down');
      clock.advance(1_999);
      await new Promise((resolve) => setImmediate(resolve));
      expect(isStopped).toBe(false);
      clock.advance(1);
      await stopped;
    },
  ],
};

describe('the server option', () => {
  const all = Object.entries(EFFECTS).map(([name, [what, show]]) => [name as Option, what, show] as const);

  test.each(all)('%s %s', async (_name, _what, show) => {
    await show(startServer);
  });

  const live = all.filter(([name]) => SERVER_OPTIONS[name].live);

  test.each(live)('%s, changed by a reload, %s', async (_name, _what, show) => {
    await show(startThenReload);
  });
});

/** Starts with the defaults, and gives the options by a reload as far as they can be given so. */
async function startThenReload({ clock, adminSocketOf: _, ...options }: TestServerOptions): Promise<TestServer> {
  const entries = Object.entries(options);
  const isLive = ([name]: readonly [string, unknown]): boolean => SERVER_OPTIONS[name as Option].live;
  const fixed = Object.fromEntries(entries.filter((entry) => !isLive(entry)));
  const server = await startServer({ ...fixed, ...(clock !== undefined && { clock }) });
  const { changed, waiting } = server.reload(Object.fromEntries(entries.filter(isLive)));
  expect(waiting).toEqual([]);
  expect(changed.map(({ option }) => option).sort()).toEqual(
    entries
      .filter(isLive)
      .map(([name]) => SERVER_OPTIONS[name as Option].name)
      .sort(),
  );
  return server;
}

/** After the join there is allowance for a short message again so many milliseconds later, and not before. */
async function showRate(start: Start, options: object, tooSoonMs: number): Promise<void> {
  const clock = new ManualClock();
  const { port } = await start({ ...options, clock });
  const alice = await enterPeer('alice', { port });
  await alice.join('den');
  const id = '1'.repeat(32);
  expect(await alice.say('den', 'x', id)).toMatchObject({ code: ERRORS.SLOW_DOWN.wire });
  clock.advance(tooSoonMs);
  expect(await alice.say('den', 'x', id)).toMatchObject({ code: ERRORS.SLOW_DOWN.wire });
  clock.advance(1);
  expect(await alice.say('den', 'x', id)).toMatchObject({ type: 'ok' });
}

/** After the join, which is paid for as well, so many messages of 64 bytes all in all are let through. */
async function showBurst(start: Start, options: object, messages: number): Promise<void> {
  const { port } = await start({ ...options, clock: new ManualClock() });
  const alice = await enterPeer('alice', { port });
  await alice.join('den');
  const answers: string[] = [];
  for (let i = 0; i <= messages; i += 1) answers.push((await alice.say('den', 'x'.repeat(20))).type);
  expect(answers).toEqual([...Array(messages).fill('ok'), 'error']);
}

/** A pair of which one reads nothing, and so much said that neither kernel nor server takes it in without holding back. */
async function fillUp(port: number): Promise<{ alice: Peer; bob: Peer }> {
  const [alice, bob] = [await enterPeer('alice', { port }), await enterPeer('bob', { port })];
  await alice.join('den');
  await bob.join('den');
  bob.transport.pause();
  const body = 'x'.repeat(16_000);
  // The kernel's buffers of a loopback connection take about six megabytes.
  for (let i = 0; i < 40; i += 1) await Promise.all(Array.from({ length: 25 }, () => alice.say('den', body)));
  return { alice, bob };
}

async function showLagged(start: Start, options: object): Promise<void> {
  const { port } = await start({ messageBurst: 1e6, byteBurst: 1e9, ...options });
  const { bob } = await fillUp(port);
  bob.transport.resume();
  const { dropped } = await bob.nextOf('lagged');
  await bob.settle();
  expect(bob.seen('message').length + dropped).toBe(1_000);
}

/** Once a peer has gone its place is free again. */
async function goneFrom(peer: Peer, port: number): Promise<void> {
  peer.transport.destroy();
  await peer.closed;
  for (;;) {
    const next = await openPeer({ port }).catch(() => undefined);
    if (next !== undefined) return;
  }
}

/** What wrong passwords for a registered name lead to, one after another. */
async function giveWrongPasswords({ port, clock }: { port: number; clock: ManualClock }, times: number) {
  const outcomes: string[] = [];
  for (let i = 0; i < times; i += 1) {
    const attempt = enterPeer('alice', { port, password: 'not this one' }).then(
      () => 'in',
      (error: unknown) => String(error),
    );
    let outcome: string | undefined;
    void attempt.then((text) => {
      outcome = text;
    });
    // A wrong password is answered late; the hash is made beside the event loop.
    while (outcome === undefined) {
      clock.advance(100);
      await new Promise((resolve) => setImmediate(resolve));
    }
    outcomes.push(outcome.includes(`${ERRORS.AUTH_FAILED.wire}`) ? 'AUTH_FAILED' : 'BANNED');
  }
  return outcomes;
}

/** For each wrong code: 1 when the answer says to wait. */
async function guessCodes(port: number, times: number): Promise<readonly number[]> {
  const owner = await enterPeer(`owner${newMessageId()}`, { port });
  await owner.ask({ type: 'join', room: 'vault' as RoomName, watch: false, code: null, create: 'locked' });
  const guesser = await enterPeer(`guesser${newMessageId()}`, { port });
  const waits: number[] = [];
  for (let i = 0; i < times; i += 1) {
    const answer = await guesser.ask({
      type: 'join',
      room: 'vault' as RoomName,
      watch: false,
      code: '?????',
      create: null,
    });
    expect(answer).toMatchObject({ type: 'error', code: ERRORS.BAD_CODE.wire });
    waits.push(answer.type === 'error' && answer.retryAfterMs !== null ? 1 : 0);
  }
  return waits;
}

function onceOf(emitter: NodeJS.EventEmitter, event: string): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    emitter.once(event, (...values) => resolve(values));
    emitter.once('error', reject);
  });
}

async function logged(log: { readonly text: string }, words: string): Promise<void> {
  while (!log.text.includes(words)) await new Promise((resolve) => setImmediate(resolve));
}

/** Runs `bcast start` as a program until it is ready, stops it, and returns its log. */
async function startProgram(...flags: string[]): Promise<{ log: string }> {
  const directory = scratchDir();
  const env = { PATH: process.env['PATH'], HOME: directory, XDG_RUNTIME_DIR: directory };
  const program = ['bin/bcast.ts', 'start', '--port', '0', '--data-dir', directory, ...flags];
  const child = spawn(process.execPath, program, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let log = '';
  child.stderr.on('data', (bytes) => {
    log += String(bytes);
  });
  await onceOf(createInterface(child.stdout), 'line');
  child.kill('SIGTERM');
  await onceOf(child, 'close');
  return { log };
}
