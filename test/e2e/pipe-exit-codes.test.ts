import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { encodeFrame } from '../../lib/wire/frame.ts';
import { encodeRefusal } from '../../lib/wire/opening.ts';
import { enterPeer } from '../helpers/peer.ts';
import { startServer } from '../helpers/server.ts';
import { linesOf, newAccount } from './bcast.ts';
import { startProxy } from './proxy.ts';

const SOMEBODY_ELSE = `SHA256:${'A'.repeat(43)}`;
const url = (port: number, rest = '') => `bcast://127.0.0.1:${port}${rest}`;

describe('exit 3: no connection', () => {
  test('nobody listens: one attempt, one line that says what to do', async () => {
    const account = newAccount();
    const { code, stdout, stderr } = await account.run(['send', '--server', url(1), 'x']);
    expect([code, stdout]).toEqual([3, '']);
    expect(linesOf(stderr)).toHaveLength(1);
    expect(stderr).toMatch(/^bcast: 127\.0\.0\.1:1 could not be reached: nobody listens there/);
  });

  test('no server is named and none runs here', async () => {
    for (const verb of ['send', 'tail', 'connect']) {
      const { code, stderr } = await newAccount().run([verb], 'x\n');
      expect([verb, code, stderr]).toEqual([
        verb,
        3,
        expect.stringMatching(/^bcast: No server is named.*"bcast start".*--server URL/),
      ]);
    }
  });

  test('what listens is not bcast', async () => {
    const http = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void http.close());
    const { code, stderr } = await newAccount().run([
      'send',
      '--server',
      url((http.address() as AddressInfo).port),
      'x',
    ]);
    expect([code, linesOf(stderr)[0]]).toEqual([3, expect.stringMatching(/^bcast: /)]);
  });
});

describe('exit 5: the name', () => {
  test('is in use by somebody else', async () => {
    const server = await startServer();
    await enterPeer('taken', server);
    const { code, stderr } = await newAccount(server).run(['send', '-u', 'Taken', 'x']);
    expect([code, linesOf(stderr)[1]]).toEqual([5, '       Take another one with -u NAME.']);
  });

  test('is none', async () => {
    const { code } = await newAccount(await startServer()).run(['send', '-u', 'not a name', 'x']);
    expect(code).toBe(5);
  });
});

describe('exit 6: the identity of the server', () => {
  test('is unknown: said with the fingerprint and the flags that help', async () => {
    const server = await startServer();
    const { code, stderr } = await newAccount().run(['send', '--server', url(server.port), 'x']);
    expect(code).toBe(6);
    for (const word of [server.fingerprint, '--fingerprint', '--accept-new']) expect(stderr).toContain(word);
  });

  test('is accepted once with --accept-new and known from then on', async () => {
    const server = await startServer();
    const account = newAccount();
    expect((await account.run(['send', '--server', url(server.port), '--accept-new', 'x'])).code).toBe(0);
    expect((await account.run(['send', '--server', url(server.port), 'x'])).code).toBe(0);
  });

  test('has changed: refused whatever the flags say, in one attempt', async () => {
    const [before, after] = [await startServer(), await startServer()];
    const proxy = await startProxy(before.port);
    const account = newAccount();
    expect((await account.run(['send', '--server', url(proxy.port), '--accept-new', 'x'])).code).toBe(0);
    proxy.target(after.port);
    const { code, stderr } = await account.run(['send', '--server', url(proxy.port), '--accept-new', 'x']);
    expect([code, proxy.connections()]).toEqual([6, 2]);
    expect(stderr).toContain('CHANGED');
  });

  test('is not the one that was demanded, by URL or by flag', async () => {
    const server = await startServer();
    const account = newAccount();
    expect((await account.run(['tail', url(server.port, `?fp=${SOMEBODY_ELSE}`)])).code).toBe(6);
    expect((await account.run(['tail', url(server.port), '--fingerprint', SOMEBODY_ELSE])).code).toBe(6);
    expect((await account.run(['tail', url(server.port, `?fp=${server.fingerprint}`), '--no-follow'])).code).toBe(0);
    expect(
      (await account.run(['tail', url(server.port), '--fingerprint', server.fingerprint, '--no-follow'])).code,
    ).toBe(0);
  });
});

describe('exit 7: put out', () => {
  test('of the room, while receiving', async () => {
    const server = await startServer();
    const owner = await enterPeer('owner', server);
    await owner.join('den', true);
    const tail = newAccount(server).start(['tail', '-r', 'den', '-u', 'guest']);
    await owner.nextOf('presence', ({ changes }) => changes.some(({ name }) => name === 'guest'));
    await owner.ask({ type: 'kick', room: 'den' as never, name: 'guest' as never, reason: 'enough' });
    const { code, stderr } = await tail.exit;
    expect([code, stderr]).toEqual([7, 'bcast: owner removed you from den: enough.\n']);
  });

  test('and kept out by a ban', async () => {
    const server = await startServer();
    const owner = await enterPeer('owner', server);
    await owner.join('den');
    await owner.ask({
      type: 'ban',
      room: 'den' as never,
      target: 'guest',
      durationMs: 60_000,
      reason: null,
      penalty: 'ban',
    });
    const { code, stderr } = await newAccount(server).run(['send', '-r', 'den', '-u', 'guest', 'x']);
    expect([code, linesOf(stderr)]).toEqual([7, [expect.stringMatching(/^bcast: .*It ends at \d{4}-.*Z\.$/)]]);
  });
});

test('exit 8: the room is full', async () => {
  const server = await startServer({ maxMembersPerRoom: 1 });
  await (await enterPeer('first', server)).join('den');
  expect((await newAccount(server).run(['send', '-r', 'den', 'x'])).code).toBe(8);
});

describe('exit 9: lines without an acknowledgement', () => {
  test('when the connection falls silent and the drain time runs out', async () => {
    const server = await startServer();
    const proxy = await startProxy(server.port);
    const send = newAccount({ ...server, port: proxy.port }).start(['send', '--receipts', '--drain-timeout', '300ms']);
    send.child.stdin.write('one\n');
    await send.until(/"seq":1/);
    proxy.freeze();
    send.child.stdin.end('two\nthree\n');
    const { code, stdout, stderr } = await send.exit;
    expect([code, linesOf(stdout).length]).toEqual([9, 1]);
    expect(stderr).toBe('bcast: 2 messages were not acknowledged; they may or may not have arrived.\n');
  });

  test('when the server is gone and does not come back', async () => {
    const server = await startServer();
    const send = newAccount(server).start(['send', '--receipts', '--drain-timeout', '300ms']);
    send.child.stdin.write('one\n');
    await send.until(/"seq":1/);
    await server.stop();
    send.child.stdin.end('two\n');
    const { code, stderr } = await send.exit;
    expect(code).toBe(9);
    expect(linesOf(stderr).at(-1)).toBe('bcast: 1 message was not acknowledged; it may or may not have arrived.');
  });
});

test('exit 13: another protocol version', async () => {
  const newer = createServer((socket) => {
    socket.on('error', () => undefined);
    const refusal = encodeRefusal('version', [1]);
    socket.once('data', () => socket.end(encodeFrame(refusal)));
  });
  await new Promise<void>((resolve) => newer.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void newer.close());
  const { code, stderr } = await newAccount().run([
    'send',
    '--server',
    url((newer.address() as AddressInfo).port),
    'x',
  ]);
  expect([code, linesOf(stderr).length]).toEqual([13, 2]);
});

describe('signals', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s ends with %i after what is on its way, and reads no more', async (signal, expected) => {
    const server = await startServer();
    const account = newAccount(server);
    const send = account.start(['send', '--receipts']);
    send.child.stdin.write('one\n');
    await send.until(/"seq":1/);
    send.child.kill(signal);
    expect(await send.exit).toMatchObject({ code: expected, stderr: '' });
    const tail = account.start(['tail', '--events']);
    await tail.until(/you are in/);
    tail.child.kill(signal);
    expect(await tail.exit).toMatchObject({ code: expected, stderr: '' });
  });

  test('a signal ends it while it is connecting', async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const connected = new Promise<void>((resolve) => silent.once('connection', () => resolve()));
    onTestFinished(() => void silent.close());
    const tail = newAccount().start(['tail', url((silent.address() as AddressInfo).port)]);
    await connected;
    tail.child.kill('SIGTERM');
    expect((await tail.exit).code).toBe(143);
  });

  test('a second one ends it at once, whatever is still on its way', async () => {
    const server = await startServer();
    const proxy = await startProxy(server.port);
    const send = newAccount({ ...server, port: proxy.port }).start(['send', '--receipts']);
    send.child.stdin.write('one\n');
    await send.until(/"seq":1/);
    proxy.freeze();
    const passed = proxy.clientBytes();
    send.child.stdin.write('two\n');
    while (proxy.clientBytes() === passed) await new Promise((resolve) => setImmediate(resolve));
    send.child.kill('SIGINT');
    send.child.kill('SIGTERM');
    expect([130, 143]).toContain((await send.exit).code);
  });
});
