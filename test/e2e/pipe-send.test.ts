import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { enterPeer, type Peer } from '../helpers/peer.ts';
import { startServer, type TestServerOptions } from '../helpers/server.ts';
import { linesOf, newAccount } from './bcast.ts';

/** A server, somebody who listens in `room`, and an account to send from. */
async function scene(options: TestServerOptions = {}, room = 'lobby') {
  const server = await startServer(options);
  const listener = await enterPeer('listener', server);
  await listener.join(room);
  return { server, listener, account: newAccount(server, { BCAST_USER: 'sender' }) };
}

/** What the listener has heard, when everything has been delivered. */
async function heard(listener: Peer): Promise<string[]> {
  await listener.settle();
  return listener.seen('message').map(({ body }) => body);
}

describe('bcast send MESSAGE', () => {
  test('sends it verbatim, says nothing and exits 0', async () => {
    const { account, listener } = await scene();
    expect(await account.run(['send', 'hello', 'you  two', '/quit'])).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await heard(listener)).toEqual(['hello you  two /quit']);
  });

  test('is not held up by a stdin that is open and silent', async () => {
    const { account, listener } = await scene();
    const { exit } = account.start(['send', 'hi']);
    expect((await exit).code).toBe(0);
    expect(await heard(listener)).toEqual(['hi']);
  });

  test('takes no line from the loop around it', async () => {
    const { account, listener } = await scene();
    const loop = account.shell('printf "1\\n2\\n3\\n" | while read -r line; do bcast send "got $line" || exit; done');
    expect(await loop.exit).toMatchObject({ code: 0, stderr: '' });
    expect(await heard(listener)).toEqual(['got 1', 'got 2', 'got 3']);
  });

  test('sends several lines as one message', async () => {
    const { account, listener } = await scene();
    await account.run(['send', 'one\ntwo']);
    expect(await heard(listener)).toEqual(['one\ntwo']);
  });

  test('goes to the room of -r, or to the person of --to', async () => {
    const { account, listener } = await scene({}, 'builds');
    expect((await account.run(['send', '-r', 'builds', 'for the room'])).code).toBe(0);
    expect((await account.run(['send', '--to', 'listener', 'for you'])).code).toBe(0);
    expect(await heard(listener)).toEqual(['for the room']);
    expect(listener.seen('private').map(({ body, from }) => [from, body])).toEqual([['sender', 'for you']]);
  });

  test('ends with 11 when there is nobody of that name', async () => {
    const { account } = await scene();
    const { code, stderr } = await account.run(['send', '--to', 'nobody', 'hi']);
    expect(code).toBe(11);
    expect(linesOf(stderr)).toHaveLength(1);
  });

  test('over the limit of the server ends with 11', async () => {
    const { account, listener } = await scene({ maxBodyBytes: 10 });
    const { code, stderr } = await account.run(['send', '12345678901']);
    expect([code, stderr]).toEqual([11, 'bcast: the message is longer than 10 bytes\n']);
    expect(await heard(listener)).toEqual([]);
  });
});

describe('lines of stdin', () => {
  test('are one message each, verbatim, with or without a last newline', async () => {
    const { account, listener } = await scene();
    const lines = [
      '/quit',
      ':j',
      '{{x}}',
      '  two  blanks ',
      '\t',
      '$(date)',
      '%n',
      '\\',
      '🎉 ünï',
      '\u001b[31m',
      'a\0b',
      '-x',
      'last',
    ];
    const { code, stdout, stderr } = await account.run(['send'], `${lines.join('\n')}`);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await heard(listener)).toEqual(lines);
  });

  test('may end in CRLF, and empty ones are skipped unless they are to be kept', async () => {
    const { account, listener } = await scene();
    await account.run(['send'], 'a\r\n\r\n\nb\r\n');
    await account.run(['send', '--keep-empty'], '\nc\n');
    expect(await heard(listener)).toEqual(['a', 'b', '', 'c']);
  });

  test('of which there are none: exits 0, and nothing is sent', async () => {
    const { account, listener } = await scene();
    expect(await account.run(['send'], '')).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await account.run(['connect'], '')).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await heard(listener)).toEqual([]);
  });

  test('that cannot be sent are named with their number; the rest goes on, and it ends with 11', async () => {
    const { account, listener } = await scene({ maxBodyBytes: 20 });
    const stdin = Buffer.concat([
      Buffer.from('one\n'),
      Buffer.from([0xc3, 0x28, 0x0a]),
      Buffer.from(`${'x'.repeat(100_000)}\nfour\n`),
    ]);
    const { code, stderr } = await account.run(['send'], stdin);
    expect(code).toBe(11);
    expect(linesOf(stderr)).toEqual([
      'bcast: line 2 is not valid UTF-8',
      'bcast: line 3 is longer than 20 bytes',
      'bcast: 2 messages were not sent.',
    ]);
    expect(await heard(listener)).toEqual(['one', 'four']);
  });

  test('come through connect as well', async () => {
    const { account, listener } = await scene({}, 'builds');
    const { code, stdout, stderr } = await account.shell('printf "a\\nb" | bcast connect -r builds').exit;
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await heard(listener)).toEqual(['a', 'b']);
  });

  test('are all stored, in order and once, however fast they come', async () => {
    const { account, listener } = await scene({
      messagesPerSecond: 1e9,
      messageBurst: 1e9,
      bytesPerSecond: 1e12,
      byteBurst: 1e12,
    });
    const lines = Array.from({ length: 20_000 }, (_, i) => `line ${i}`);
    const { code, stdout } = await account.run(['send', '--receipts'], lines.join('\n'));
    expect(code).toBe(0);
    expect(await heard(listener)).toEqual(lines);
    expect(linesOf(stdout).map((line) => JSON.parse(line).seq)).toEqual(lines.map((_, i) => i + 1));
  });

  test('wait when the server says slow down, and none is lost', async () => {
    const { account, listener, server } = await scene({ messagesPerSecond: 200, messageBurst: 10 });
    const lines = Array.from({ length: 100 }, (_, i) => String(i));
    expect(await account.run(['send'], lines.join('\n'))).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await heard(listener)).toEqual(lines);
    expect(server.log.text).not.toContain('kick');
  });
});

describe('all of stdin', () => {
  test('is one message with --message', async () => {
    const { account, listener } = await scene();
    await account.run(['send', '--message'], 'one\n\ntwo\n');
    expect(await heard(listener)).toEqual(['one\n\ntwo']);
  });

  test('over the limit is refused and not cut', async () => {
    const { account, listener } = await scene({ maxBodyBytes: 1_000 });
    const { code, stderr } = await account.run(['send', '--message'], 'x\n'.repeat(1_000));
    expect([code, stderr]).toEqual([11, 'bcast: the input is longer than 1000 bytes\n']);
    expect(await heard(listener)).toEqual([]);
  });

  test('over the limit is refused before its end, which may never come', async () => {
    const { account } = await scene();
    const { code, stdout } = await account.shell('yes | bcast send --message; echo $?').exit;
    expect([code, stdout]).toEqual([0, '11\n']);
  });

  test('splits on NUL with --null', async () => {
    const { account, listener } = await scene();
    await account.run(['send', '--null'], 'one\ntwo\0\0three\r\n');
    expect(await heard(listener)).toEqual(['one\ntwo', 'three\r\n']);
  });

  test('is an object a line with --ndjson', async () => {
    const { account, listener } = await scene({}, 'builds');
    const id = '0192f0c1-2345-7abc-8def-0123456789ab';
    const objects = [{ body: 'a\nb', room: 'builds', id }, { body: 'psst', to: 'listener' }, { text: 'no' }];
    const { code, stderr, stdout } = await account.run(
      ['send', '--ndjson', '--receipts'],
      objects.map((object) => JSON.stringify(object)).join('\n'),
    );
    expect([code, linesOf(stderr)]).toEqual([11, ['bcast: line 3 has no "body" that is a text']]);
    expect(await heard(listener)).toEqual(['a\nb']);
    expect(listener.seen('private').map(({ body }) => body)).toEqual(['psst']);
    const receipts = linesOf(stdout).map((line) => JSON.parse(line));
    expect(receipts.find(({ room }) => room === 'builds')).toMatchObject({ seq: 1, id });
    expect(receipts.find(({ room }) => room === null)).toMatchObject({ seq: null });
  });

  test('with ids of its own can be sent again: the server takes each once', async () => {
    const { account, listener } = await scene();
    const lines = ['1', '2']
      .map((body) => JSON.stringify({ body, id: `0192f0c1-2345-7abc-8def-00000000000${body}` }))
      .join('\n');
    const [first, second] = [
      await account.run(['send', '--ndjson', '--receipts'], lines),
      await account.run(['send', '--ndjson', '--receipts'], lines),
    ];
    expect([first.code, second]).toEqual([0, first]);
    expect(await heard(listener)).toEqual(['1', '2']);
  });

  test('comes out of tail --raw as the file it was', async () => {
    const { account } = await scene();
    const file = join(account.home, 'file.txt');
    writeFileSync(file, 'first\n\n  third \u001b[1m\n');
    const { code } = await account.shell(
      `bcast send --message <${file} && bcast tail --raw --last 1 --no-follow >${file}.back`,
    ).exit;
    expect(code).toBe(0);
    expect(readFileSync(`${file}.back`, 'utf8')).toBe(readFileSync(file, 'utf8'));
  });
});

describe('what cannot be meant', () => {
  test.each([
    [['send', '--message', 'words']],
    [['send', '--null', '--ndjson']],
    [['send', '-r', 'a', '-r', 'b', 'x']],
    [['send', '-r', 'a', '--to', 'b', 'x']],
    [['send', '-r', 'not a room', 'x']],
    [['send', '--to', 'not a name', 'x']],
    [['send', '--drain-timeout', 'soon', 'x']],
    [['send', '--fingerprint', 'MD5:00', 'x']],
    [['send', '--server', 'http://example.org', 'x']],
    [['tail', '--json', '--raw']],
    [['tail', '--raw', '--events']],
    [['tail', '-n', '0']],
    [['tail', '--since', 'yesterday']],
    [['tail', 'one', 'two']],
    [['connect', '--suite', '9']],
    [['send', '--nonsense']],
    [['nonsense']],
    [[]],
  ])('%j exits 2 and says why, before connecting anywhere', async (args) => {
    const account = newAccount({ port: 1, fingerprint: `SHA256:${'A'.repeat(43)}` });
    const { code, stdout, stderr } = await account.run(args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).not.toBe('');
    expect(stderr).not.toContain('    at ');
  });

  test('a directory for stdin exits 1 and says so', async () => {
    const { account } = await scene();
    const { code, stderr } = await account.shell('bcast send </').exit;
    expect([code, stderr]).toEqual([1, 'bcast: stdin cannot be read: it is a directory.\n']);
  });
});
