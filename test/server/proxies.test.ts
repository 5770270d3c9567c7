import { spawnSync } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ERRORS } from '../../lib/errors.ts';
import { NOT_BCAST_LINE } from '../../lib/wire/opening.ts';
import { ManualClock } from '../helpers/manual-clock.ts';
import { enterPeer, newIdentity, openPeer } from '../helpers/peer.ts';
import { proxyHeader, proxyHeaderFrom } from '../helpers/proxy-header.ts';
import { startServer } from '../helpers/server.ts';

const LOOPBACK = { trustedProxies: ['127.0.0.0/8'] };

function from(last: number): Uint8Array {
  return proxyHeaderFrom(Uint8Array.of(203, 0, 113, last));
}

async function dial(port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  return socket;
}

/** Everything that comes until the other end closes. */
function answer(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (bytes) => {
    text += bytes.toString('latin1');
  });
  return new Promise((resolve) => socket.once('close', () => resolve(text)));
}

describe('behind a trusted proxy', () => {
  test('limits of an address are those of whom the proxy speaks for', async () => {
    const { port } = await startServer({ ...LOOPBACK, maxConnectionsPerAddress: 1 });
    await enterPeer('alice', { port, preface: from(1) });
    await enterPeer('bob', { port, preface: from(2) });
    await expect(openPeer({ port, preface: from(1) })).rejects.toMatchObject({ code: 'ADDRESS_FULL' });
  });

  test('bans by address are of whom the proxy speaks for', async () => {
    const identity = newIdentity();
    const { port } = await startServer({ ...LOOPBACK, admins: [identity.fingerprint] });
    const root = await enterPeer('root', { port, identity, preface: from(1) });
    const bob = await enterPeer('bob', { port, preface: from(2) });
    await root.ask({ type: 'ban', room: null, target: '203.0.113.2', penalty: 'ban', durationMs: null, reason: null });
    await bob.closed;
    expect(bob.seen('error').at(-1)).toMatchObject({ code: ERRORS.BANNED.wire });
    await expect(openPeer({ port, preface: from(2) })).rejects.toMatchObject({ code: 'BANNED' });
    await enterPeer('carol', { port, preface: from(3) });
  });

  test('a header that comes in pieces, and one with the first frame right behind it, are the same', async () => {
    const { port, log } = await startServer(LOOPBACK);
    const socket = await dial(port);
    const answered = answer(socket);
    for (const byte of from(7)) {
      socket.write(Uint8Array.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    socket.write('GET / HTTP/1.1\r\n\r\n');
    expect(await answered).toBe(Buffer.from(NOT_BCAST_LINE).toString('latin1'));
    expect(log.text).toMatch(/"address":"203\.0\.113\.7","code":"BAD_FRAME"/);
    const whole = await dial(port);
    whole.write(Buffer.concat([from(8), Buffer.from('GET / HTTP/1.1\r\n\r\n')]));
    expect(await answer(whole)).toBe(Buffer.from(NOT_BCAST_LINE).toString('latin1'));
    expect(log.text).toMatch(/"address":"203\.0\.113\.8","code":"BAD_FRAME"/);
  });

  test('a connection without a header is closed without a word, and the log says which proxy it was', async () => {
    const { port, log } = await startServer(LOOPBACK);
    const socket = await dial(port);
    socket.write('BCAST');
    expect(await answer(socket)).toBe('');
    expect(log.text).toMatch(/"proxy":"127\.0\.0\.1","code":"BAD_FRAME".*did not send a PROXY header/);
  });

  test('a proxy that says nothing is given up', async () => {
    const clock = new ManualClock();
    const { port, log } = await startServer({ ...LOOPBACK, handshakeTimeout: 2_000, maxConnections: 2, clock });
    const silent = [await dial(port), await dial(port)];
    const gone = silent.map(answer);
    // There is no place for a third that may be silent too.
    expect(await answer(await dial(port))).toBe('');
    clock.advance(2_000);
    expect(await Promise.all(gone)).toEqual(['', '']);
    expect(log.text.match(/"proxy":"127\.0\.0\.1","code":"HANDSHAKE_TIMEOUT"/g)).toHaveLength(2);
    await enterPeer('alice', { port, preface: from(1) });
  });

  test('what the proxy says in its own name is from the proxy', async () => {
    const { port, log } = await startServer(LOOPBACK);
    await enterPeer('check', {
      port,
      preface: proxyHeader({ command: 0x20, family: 0, addresses: new Uint8Array(0) }),
    });
    expect(log.text).toMatch(/"address":"127\.0\.0\.1".*"msg":"entered"/);
  });

  test('a server that stops does not wait for the silent', async () => {
    const { port, stop } = await startServer({ ...LOOPBACK, clock: new ManualClock() });
    const gone = answer(await dial(port));
    await stop();
    expect(await gone).toBe('');
  });
});

test('a proxy that only looks whether the port answers, and has gone when it is taken, leaves no trace', async () => {
  const { port, log } = await startServer(LOOPBACK);
  const header = proxyHeader({ command: 0x20, family: 0, addresses: new Uint8Array(0) }).toString('hex');
  const look = `const socket = require('node:net').connect({ host: '127.0.0.1', port: ${port} }, () =>
    socket.write(Buffer.from('${header}', 'hex'), () => socket.resetAndDestroy()));`;
  // While it runs, nobody accepts here: the system has the connection, and then its end.
  expect(spawnSync(process.execPath, ['-e', look]).status).toBe(0);
  await enterPeer('alice', { port, preface: from(1) });
  expect(log.text).not.toContain('closed');
});

test('from anybody else a PROXY header is garbage', async () => {
  const { port, log } = await startServer({ trustedProxies: ['192.0.2.0/24'] });
  const socket = await dial(port);
  socket.write(from(1));
  expect(await answer(socket)).toBe(Buffer.from(NOT_BCAST_LINE).toString('latin1'));
  expect(log.text).toMatch(/"address":"127\.0\.0\.1","code":"BAD_FRAME"/);
  expect(log.text).not.toContain('203.0.113.1');
});
