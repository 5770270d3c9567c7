import { expect, test } from 'vitest';
import { enterPeer } from '../helpers/peer.ts';
import { startServer } from '../helpers/server.ts';
import { linesOf, newAccount } from './bcast.ts';
import { startProxy } from './proxy.ts';

const UNLIMITED = { messagesPerSecond: 1e9, messageBurst: 1e9, bytesPerSecond: 1e12, byteBurst: 1e12 };

test('lines go through a cut once each and in order, on both sides of the server', async () => {
  const server = await startServer({ ...UNLIMITED, historyMessages: 100_000 });
  const [sending, receiving] = [await startProxy(server.port), await startProxy(server.port)];
  const account = newAccount();
  const at = (port: number) => ['--server', `bcast://127.0.0.1:${port}?fp=${server.fingerprint}`, '-q'];
  const tail = account.start(['tail', '--raw', '-n', '3000', '-u', 'reader', ...at(receiving.port)]);
  const witness = await enterPeer('witness', server);
  await witness.join('lobby', true);
  await witness.ask({ type: 'names', room: 'lobby' as never });
  const isReader = ({ name }: { name: string }) => name === 'reader';
  if (!witness.seen('members').some(({ members }) => members.some(isReader))) {
    await witness.nextOf('presence', ({ changes }) => changes.some(isReader));
  }
  const send = account.start(['send', '--receipts', '-u', 'writer', ...at(sending.port)]);
  const lines = Array.from({ length: 3_000 }, (_, i) => `line ${i}`);
  send.child.stdin.write(`${lines.slice(0, 1_500).join('\n')}\n`);
  await send.until(/"seq":100,/);
  sending.cut();
  receiving.cut();
  send.child.stdin.end(lines.slice(1_500).join('\n'));
  const [sent, received] = [await send.exit, await tail.exit];
  expect([sent.code, sent.stderr, received.code, received.stderr]).toEqual([0, '', 0, '']);
  expect(
    linesOf(sent.stdout)
      .map((line) => JSON.parse(line).seq)
      .sort((a, b) => a - b),
  ).toEqual(lines.map((_, i) => i + 1));
  expect(linesOf(received.stdout)).toEqual(lines);
});

test('a server that is started again gets the rest of the lines', async () => {
  const first = await startServer(UNLIMITED);
  const account = newAccount(first);
  const witness = await enterPeer('witness', first);
  await witness.join('lobby');
  const send = account.start(['send', '--receipts']);
  send.child.stdin.write('1\n2\n3\n');
  await send.until(/"seq":3,/);
  await first.stop();
  const second = await startServer({ ...UNLIMITED, port: first.port, dataDir: first.dataDir });
  const listener = await enterPeer('listener', second);
  await listener.join('lobby');
  send.child.stdin.end('4\n5\n');
  const { code, stderr } = await send.exit;
  expect(code).toBe(0);
  await listener.settle();
  expect(witness.seen('message').map(({ body }) => body)).toEqual(['1', '2', '3']);
  expect(listener.seen('message').map(({ body }) => body)).toEqual(['4', '5']);
  expect(linesOf(stderr).at(-1)).toBe('bcast: Connected again.');
});
