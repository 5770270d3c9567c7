import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { enterClient } from '../helpers/live-client.ts';
import { startServer, type TestServer } from '../helpers/server.ts';
import { type Account, linesOf, newAccount } from './bcast.ts';

const SECRET = 'correct horse';

/** A server on which alice has registered, with a password. */
async function withAlice(): Promise<TestServer> {
  const server = await startServer();
  const { client } = await enterClient(server, 'alice');
  await client.register(SECRET);
  await client.close();
  return server;
}

function fileIn({ home }: Account, text: string): string {
  const path = join(home, 'secret');
  writeFileSync(path, `${text}\n`, { mode: 0o600 });
  return path;
}

describe('a registered name', () => {
  test('is entered from elsewhere with its password in a file, and from then on without', async () => {
    const server = await withAlice();
    const account = newAccount(server);
    const file = fileIn(account, SECRET);
    expect(await account.run(['send', '-u', 'alice', '--password-file', file, 'x'])).toMatchObject({ code: 0 });
    expect(await account.run(['send', '-u', 'alice', 'x'])).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test('is entered with its password in a variable', async () => {
    const account = newAccount(await withAlice(), { BCAST_PASSWORD: SECRET });
    expect(await account.run(['send', '-u', 'alice', 'x'])).toMatchObject({ code: 0 });
  });

  test('without a password is exit code 5 with what to do, with a wrong one 4, which is not repeated', async () => {
    const server = await withAlice();
    const account = newAccount(server);
    const none = await account.run(['send', '-u', 'alice', 'x']);
    expect([none.code, linesOf(none.stderr)[1]]).toEqual([5, expect.stringContaining('--password-file FILE')]);
    const wrong = await account.run(['send', '-u', 'alice', '--password-file', fileIn(account, 'wrong horse'), 'x']);
    expect([wrong.code, wrong.stdout, wrong.stderr.includes('wrong horse')]).toEqual([4, '', false]);
  });
});

describe('a locked room', () => {
  test('is made in a pipe, which tells its code and the URL that lets others in', async () => {
    const server = await startServer();
    const maker = newAccount(server).start(['connect', '-r', 'den', '--create', 'locked', '-u', 'maker']);
    maker.child.stdin.end('hello\n');
    const { code, stdout, stderr } = await maker.exit;
    expect([code, stdout]).toEqual([0, '']);
    const [said = '', url = ''] = linesOf(stderr);
    const roomCode = /The code of den is ([A-Z0-9]{5})\./.exec(said)?.[1];
    expect(url).toBe(`bcast: bcast://127.0.0.1:${server.port}/den?fp=${server.fingerprint}&code=${roomCode}`);
    expect(server.log.text).not.toContain(roomCode);
    const guest = await newAccount().run(['history', url.slice('bcast: '.length), '-u', 'guest', '--raw']);
    expect(guest).toEqual({ code: 0, stdout: 'hello\n', stderr: '' });
  });

  test('wants the code, once: without or with a wrong one it is exit code 4', async () => {
    const server = await startServer();
    const { client } = await enterClient(server, 'alice');
    await client.join('den', { create: 'locked' });
    const account = newAccount(server);
    const without = await account.run(['history', '-r', 'den']);
    expect([without.code, linesOf(without.stderr)[1]]).toEqual([4, expect.stringContaining('--code-file FILE')]);
    const wrong = await account.run(['history', '-r', 'den', '--code-file', fileIn(account, 'WRONG')]);
    expect([wrong.code, wrong.stderr.includes('WRONG')]).toEqual([4, false]);
    const right = await account.run([
      'history',
      '-r',
      'den',
      '--code-file',
      fileIn(account, `${client.codeOf('den')}`),
    ]);
    expect(right).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test('that is there already is not made again: exit code 1', async () => {
    const server = await startServer();
    const { client } = await enterClient(server, 'alice');
    await client.join('den');
    const { code, stderr } = await newAccount(server).run(['connect', '-r', 'den', '--create', 'open', '-u', 'bob']);
    expect([code, linesOf(stderr)]).toEqual([1, [expect.stringContaining('There is a room den already')]]);
  });

  test('whose code stands on the command line does not show it to who lists the processes', async () => {
    const server = await startServer();
    const { client } = await enterClient(server, 'alice');
    await client.join('den', { create: 'locked' });
    const run = newAccount().start(['tail', client.inviteUrl('den'), '-u', 'bob', '--events']);
    await run.until(/you are in den/);
    const listed = execFileSync('ps', ['-o', 'args=', '-p', String(run.child.pid)], { encoding: 'utf8' });
    expect(listed).not.toContain(client.codeOf('den'));
    run.child.kill('SIGTERM');
    await run.exit;
  });
});

describe('what the server keeps', () => {
  async function withTalk(): Promise<Account> {
    const server = await startServer();
    const { client } = await enterClient(server, 'alice');
    await client.join('builds');
    for (const body of ['build 1 started', 'build 1 failed', 'lunch', 'build 2 started', 'build 2 green']) {
      await client.say('builds', body);
    }
    return newAccount(server);
  }

  test.each([
    [[], ['build 1 started', 'build 1 failed', 'lunch', 'build 2 started', 'build 2 green']],
    [
      ['--last', '2'],
      ['build 2 started', 'build 2 green'],
    ],
    [
      ['--since', '1', '--before', '4'],
      ['build 1 failed', 'lunch'],
    ],
    [['--since', '1h', '--before', '3', '--last', '1'], ['build 1 failed']],
  ])('is printed by history %j', async (args, lines) => {
    const account = await withTalk();
    const { code, stdout, stderr } = await account.run(['history', '-r', 'builds', '--raw', ...args]);
    expect([code, linesOf(stdout), stderr]).toEqual([0, lines, '']);
  });

  test('is printed by history as JSON', async () => {
    const { stdout } = await (await withTalk()).run(['history', '-r', 'builds', '--json', '--last', '1']);
    expect(JSON.parse(stdout)).toMatchObject({ v: 1, seq: 5, body: 'build 2 green', history: true });
  });

  test('is found by its words, and how far was looked is said', async () => {
    const account = await withTalk();
    const { code, stdout, stderr } = await account.run(['search', '-r', 'builds', 'build', 'start']);
    expect([code, stderr]).toEqual([
      0,
      'bcast: Looked through all that is kept of builds, which is what came since message 1.\n',
    ]);
    expect(linesOf(stdout)).toEqual([
      expect.stringMatching(/^#1 \d{4}-\d\d-\d\d \d\d:\d\d <alice> build 1 started$/),
      expect.stringMatching(/^#4 .* build 2 started$/),
    ]);
  });

  test('is searched for the newest, which says where to go on', async () => {
    const account = await withTalk();
    const newest = await account.run(['search', '-r', 'builds', '--last', '1', '--raw', 'build']);
    expect(newest).toMatchObject({ stdout: 'build 2 green\n', stderr: expect.stringContaining('--before 5') });
  });
});

test('what is published reaches who follows, in whatever room they are, and nobody else', async () => {
  const server = await startServer();
  const account = newAccount(server);
  const here = account.start(['connect', '-u', 'pub', '-r', 'office', '--stay', '--events']);
  await here.until(/you are in office/);
  const follower = await enterClient(server, 'bob');
  await follower.client.follow('pub');
  const other = await enterClient(server, 'carol');
  await other.client.join('office');
  expect(await account.run(['send', '-u', 'pub', '--publish', 'news'])).toEqual({ code: 0, stdout: '', stderr: '' });
  await follower.until((events) => events.some(({ type }) => type === 'published'));
  expect(follower.events.find(({ type }) => type === 'published')).toMatchObject({ from: 'pub', body: 'news' });
  expect(other.events.some(({ type }) => type === 'published')).toBe(false);
  here.child.kill('SIGTERM');
  await here.exit;
});
