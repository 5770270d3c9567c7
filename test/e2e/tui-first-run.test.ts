import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { enterClient } from '../helpers/live-client.ts';
import { startServer, type TestServer } from '../helpers/server.ts';
import { TestTerminal } from '../helpers/terminal.ts';
import { type Account, newAccount } from './bcast.ts';

const BCAST = join(import.meta.dirname, '../../bin/bcast.ts');

/** `bcast connect` by somebody who has never been anywhere: nothing is known, nothing is remembered. */
function openFirst(account: Account, args: readonly string[]): TestTerminal {
  const words = [BCAST, 'connect', ...args];
  const terminal = new TestTerminal(process.execPath, words, {
    columns: 120,
    rows: 30,
    env: account.env,
    cwd: account.home,
  });
  onTestFinished(() => terminal.close());
  return terminal;
}

const urlOf = ({ port }: TestServer): string => `bcast://127.0.0.1:${port}`;

test('asks for a name until it is one, and whether the server is the right one, and remembers both', async () => {
  const server = await startServer();
  const account = newAccount();
  const first = openFirst(account, [urlOf(server)]);
  await first.until(/Your name \[.+\]: $/m);
  first.type('not a name!\r');
  await first.until('A name is 1 to 50 letters');
  first.type('alice\r');
  await first.until(server.fingerprint);
  await first.until(/yes, no, or the fingerprint\) $/m);
  expect(first.isAlternate).toBe(false);
  first.type('perhaps\r');
  await first.until(/Please type yes, no, or the fingerprint: $/m);
  first.type('yes\r');
  await first.until('30d.');
  await first.until(/● alice .* new SHA256:/);
  first.type('/quit\r');
  expect((await first.exited).exitCode).toBe(0);

  const second = openFirst(account, [urlOf(server)]);
  await second.until('30d.');
  await second.until(/● alice .* known SHA256:/);
});

test('takes the fingerprint itself for an answer', async () => {
  const server = await startServer();
  const screen = openFirst(newAccount(), [urlOf(server), '-u', 'alice']);
  await screen.until(/yes, no, or the fingerprint\) $/m);
  screen.type(`${server.fingerprint}\r`);
  await screen.until('30d.');
});

test('does not go to a server that is not trusted', async () => {
  const server = await startServer();
  const screen = openFirst(newAccount(), [urlOf(server), '-u', 'alice']);
  await screen.until(/yes, no, or the fingerprint\) $/m);
  screen.type('no\r');
  const { exitCode, output } = await screen.exited;
  expect(exitCode).toBe(6);
  expect(output).not.toContain('\x1b[?1049h');
});

test('Ctrl-C at a question leaves with 130', async () => {
  const server = await startServer();
  const screen = openFirst(newAccount(), [urlOf(server)]);
  await screen.until('Your name');
  screen.type('\x03');
  expect((await screen.exited).exitCode).toBe(130);
});

test('asks for another name when one is in use', async () => {
  const server = await startServer();
  const bob = openFirst(newAccount(server), ['-u', 'bob']);
  await bob.until('30d.');
  const screen = openFirst(newAccount(server), ['-u', 'Bob']);
  await screen.until(/Bob: .*\n?.*Your name: $/m);
  screen.type('alice\r');
  await screen.until('30d.');
  await screen.until('● alice');
});

test('says in one line that nobody is there', async () => {
  const server = await startServer();
  await server.stop();
  const screen = openFirst(newAccount(), [urlOf(server), '-u', 'alice']);
  const { exitCode, output } = await screen.exited;
  expect(exitCode).toBe(3);
  expect(output).not.toContain('\x1b[?1049h');
  expect(screen.line(0)).toMatch(/could not be reached/);
});

test('asks for the password of a registered name, without showing it', async () => {
  const server = await startServer();
  const { client } = await enterClient(server, 'alice');
  await client.register('correct horse');
  const screen = openFirst(newAccount(server), ['-u', 'alice']);
  await screen.until(/Password of alice: $/m);
  screen.type('wrong horse\r');
  await screen.until(/not the key or the password/);
  await screen.until(/Password of alice: $/m);
  screen.type('correct horse\r');
  await screen.until('● alice');
  expect(screen.output).not.toMatch(/wrong horse|correct horse/);
});

test('asks for another name when somebody has no password for a registered one', async () => {
  const server = await startServer();
  const { client } = await enterClient(server, 'alice');
  await client.register();
  const stranger = openFirst(newAccount(server), ['-u', 'alice']);
  await stranger.until(/Password of alice: $/m);
  stranger.type('\r');
  await stranger.until(/Your name: $/m);
  stranger.type('bob\r');
  await stranger.until('● bob');
});

test('Ctrl-C at a password leaves with 130', async () => {
  const server = await startServer();
  const { client } = await enterClient(server, 'alice');
  await client.register();
  const screen = openFirst(newAccount(server), ['-u', 'alice']);
  await screen.until(/Password of alice: $/m);
  screen.type('\x03');
  expect((await screen.exited).exitCode).toBe(130);
});

test('asks for the code of a locked room, without showing it, until it is right', async () => {
  const server = await startServer();
  const { client } = await enterClient(server, 'alice');
  await client.join('den', { create: 'locked' });
  const code = client.codeOf('den') as string;
  const screen = openFirst(newAccount(server), ['-u', 'bob', '-r', 'lobby', '-r', 'den']);
  await screen.until(/code of #den:/);
  screen.type('WRONG\r');
  await screen.until('That is not the code of #den.');
  screen.type(code);
  await screen.until(/code of #den: •••••/);
  screen.type('\r');
  await screen.until(/whoever has the/);
  await screen.until('#den locked');
  expect(screen.output).not.toContain(code);
});
