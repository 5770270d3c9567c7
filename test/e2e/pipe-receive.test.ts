import { describe, expect, test } from 'vitest';
import { enterPeer } from '../helpers/peer.ts';
import { startServer, type TestServerOptions } from '../helpers/server.ts';
import { linesOf, newAccount } from './bcast.ts';

const UNLIMITED = { messagesPerSecond: 1e9, messageBurst: 1e9, bytesPerSecond: 1e12, byteBurst: 1e12 };

/** A server, somebody who talks in the lobby, and an account to listen from. */
async function scene(options: TestServerOptions = {}) {
  const server = await startServer(options);
  const talker = await enterPeer('talker', server);
  await talker.join('lobby', true);
  return { server, talker, account: newAccount(server, { BCAST_USER: 'reader' }) };
}

/** Until `--events` has shown that the reader is in the room. */
const READY = /you are in lobby|"type":"joined"/;

describe('the forms', () => {
  test('text is a line a message, safe for a terminal', async () => {
    const { account, talker } = await scene();
    const tail = account.start(['tail', '-n', '4', '--events']);
    await tail.until(READY);
    await talker.say('lobby', 'plain');
    await talker.say('lobby', 'red \u001b[31m\u202e\r\n12:00 <alice> not me');
    await talker.ask({
      type: 'say',
      id: '1'.repeat(32),
      again: false,
      room: 'lobby' as never,
      kind: 'action',
      body: 'waves',
    });
    await talker.ask({ type: 'tell', id: '2'.repeat(32), to: 'reader' as never, kind: 'text', body: 'psst' });
    const { code, stdout, stderr } = await tail.exit;
    expect([code, stderr]).toEqual([0, '']);
    expect(
      linesOf(stdout)
        .filter((line) => !line.includes('-!-'))
        .map((line) => line.replace(/^\d\d:\d\d /, '')),
    ).toEqual([
      '<talker> plain',
      '<talker> red \\x1b[31m\\u202e\\r\\n12:00 <alice> not me',
      '* talker waves',
      '<talker -> reader> psst',
    ]);
    for (const line of linesOf(stdout)) expect(line).toMatch(/^\d\d:\d\d /);
  });

  test('JSON has the stable keys and the exact body', async () => {
    const { account, talker } = await scene();
    const body = '\u001b[31m\u202e\n"quoted" 🎉\t\u0085';
    await talker.say('lobby', body, '0192f0c123457abc8def0123456789ab');
    const { code, stdout } = await account.run(['tail', '--json', '--no-follow']);
    expect(code).toBe(0);
    expect(linesOf(stdout)).toHaveLength(1);
    const line = JSON.parse(stdout);
    expect(Object.keys(line)).toEqual('v type id seq ts room from fp body to kind history'.split(' '));
    expect(line).toMatchObject({
      v: 1,
      type: 'message',
      id: '0192f0c1-2345-7abc-8def-0123456789ab',
      seq: 1,
      room: 'lobby',
      from: 'talker',
      fp: talker.identity.fingerprint,
      body,
      to: null,
      kind: 'text',
    });
    expect(new Date(line.ts).toISOString()).toBe(line.ts);
  });

  test('raw is the body, byte for byte', async () => {
    const { account, talker } = await scene();
    await talker.say('lobby', '\u001b[31mred\u001b[0m');
    expect(await account.run(['tail', '--raw', '--no-follow'])).toEqual({
      code: 0,
      stdout: '\u001b[31mred\u001b[0m\n',
      stderr: '',
    });
  });

  test('events are shown when they are asked for', async () => {
    const { account, server } = await scene();
    const tail = account.start(['tail', '--json', '--events', '-n', '1']);
    await tail.until(READY);
    const guest = await enterPeer('guest', server);
    await guest.join('lobby');
    await tail.until(/"type":"join".*guest/);
    await guest.say('lobby', 'x');
    const { stdout } = await tail.exit;
    const events = linesOf(stdout).map((line) => JSON.parse(line));
    expect(events.every(({ v }) => v === 1)).toBe(true);
    expect(events.map(({ type, from }) => [type, from])).toContainEqual(['join', 'guest']);
  });
});

describe('where it begins and ends', () => {
  test.each([
    [['--no-follow'], ['1', '2', '3', '4', '5']],
    [
      ['--no-follow', '--last', '2'],
      ['4', '5'],
    ],
    [
      ['--no-follow', '--since', '3'],
      ['4', '5'],
    ],
    [['--no-follow', '--since', '0', '--last', '1'], ['5']],
    [
      ['--no-follow', '--since', '1h'],
      ['1', '2', '3', '4', '5'],
    ],
    [['--no-follow', '--since', '99'], []],
    [
      ['--since', '1', '-n', '2'],
      ['2', '3'],
    ],
    [
      ['--last', '3', '-n', '2'],
      ['3', '4'],
    ],
    [['--no-follow', '-n', '1'], ['1']],
    [['--last', '1', '--idle', '200ms'], ['5']],
  ])('tail %j prints %j and exits 0', async (flags, bodies) => {
    const { account, talker } = await scene();
    for (const body of ['1', '2', '3', '4', '5']) await talker.say('lobby', body);
    const { code, stdout, stderr } = await account.run(['tail', '--raw', ...flags]);
    expect({ code, lines: linesOf(stdout), stderr }).toEqual({ code: 0, lines: bodies, stderr: '' });
  });

  test('history that is gone is said, not hidden', async () => {
    const { account, talker } = await scene({ historyMessages: 2 });
    for (const body of ['1', '2', '3', '4', '5']) await talker.say('lobby', body);
    const { code, stdout, stderr } = await account.run(['tail', '--raw', '--since', '0', '--no-follow']);
    expect([code, linesOf(stdout)]).toEqual([0, ['4', '5']]);
    expect(stderr).toBe('bcast: messages 1 to 3 of lobby can no longer be had (3 lost)\n');
  });

  test('time that runs out exits 10, but not when the count was reached', async () => {
    const { account, talker } = await scene();
    await talker.say('lobby', 'x');
    expect((await account.run(['tail', '--timeout', '100ms', '-n', '2', '--last', '1'])).code).toBe(10);
    expect((await account.run(['tail', '--timeout', '60s', '-n', '1', '--last', '1'])).code).toBe(0);
  });

  test('tail never reads stdin', async () => {
    const { account } = await scene();
    const { exit } = account.shell('printf "still here" | { bcast tail --no-follow; cat; }');
    expect(await exit).toEqual({ code: 0, stdout: 'still here', stderr: '' });
  });

  test('connect ends with its input, and with --stay goes on', async () => {
    const { account, talker } = await scene();
    const stays = account.start(['connect', '--stay', '--raw', '-n', '1']);
    stays.child.stdin.end('question\n');
    await talker.nextOf('message', ({ body }) => body === 'question');
    await talker.say('lobby', 'answer');
    expect(await stays.exit).toEqual({ code: 0, stdout: 'answer\n', stderr: '' });
    expect(await account.run(['connect', '--raw'], 'question\n')).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test('several rooms are received at once', async () => {
    const { account, talker } = await scene();
    await talker.join('builds');
    await talker.say('lobby', 'one');
    await talker.say('builds', 'two');
    const { stdout } = await account.run(['tail', '-r', 'lobby', '-r', 'builds', '--raw', '--no-follow']);
    expect(linesOf(stdout)).toEqual(['one', 'two']);
  });
});

describe('a reader of stdout', () => {
  test('who is slow loses nothing', async () => {
    const { account, talker } = await scene(UNLIMITED);
    const tail = account.start(['tail', '--raw', '-n', '5000']);
    // Nobody reads yet: the pipe holds 64 KiB, the messages are over 2 MB.
    tail.child.stdout.pause();
    await talker.nextOf('presence', ({ changes }) => changes.some(({ name }) => name === 'reader'));
    const bodies = Array.from({ length: 5_000 }, (_, i) => `${i} ${'x'.repeat(400)}`);
    await Promise.all(bodies.map((body) => talker.say('lobby', body)));
    tail.child.stdout.resume();
    const { code, stdout } = await tail.exit;
    expect(code).toBe(0);
    expect(linesOf(stdout)).toEqual(bodies);
  });

  test('who leaves ends it quietly with 0', async () => {
    const { account, talker } = await scene(UNLIMITED);
    const shell = account.shell('set -o pipefail; bcast tail --raw | head -1; echo $?');
    await talker.nextOf('presence', ({ changes }) => changes.some(({ name }) => name === 'reader'));
    let isOver = false;
    void shell.exit.then(() => {
      isOver = true;
    });
    while (!isOver) await talker.say('lobby', 'x');
    expect(await shell.exit).toEqual({ code: 0, stdout: 'x\n0\n', stderr: '' });
  });
});
