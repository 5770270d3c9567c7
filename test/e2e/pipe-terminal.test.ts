import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { enterClient } from '../helpers/live-client.ts';
import { enterPeer } from '../helpers/peer.ts';
import { startServer } from '../helpers/server.ts';
import { TestTerminal } from '../helpers/terminal.ts';
import { newAccount } from './bcast.ts';

const BCAST = join(import.meta.dirname, '../../bin/bcast.ts');

/** A person at a terminal who types a line of bash. */
function type(line: string, env: Readonly<Record<string, string>>, home: string): TestTerminal {
  const script = `bcast() { '${process.execPath}' '${BCAST}' "$@"; }\n${line}`;
  const terminal = new TestTerminal('/bin/bash', ['-c', script], { columns: 100, rows: 24, env, cwd: home });
  onTestFinished(() => void terminal.close());
  return terminal;
}

describe('line mode at a terminal', () => {
  test('asks whether a server that is not known is the right one, and remembers a yes', async () => {
    const server = await startServer();
    const account = newAccount(undefined, { BCAST_SERVER: `bcast://127.0.0.1:${server.port}` });
    const first = type('bcast send one', account.env, account.home);
    await first.until('Is it the right one?');
    expect(first.text()).toContain(server.fingerprint);
    first.type('yes\r');
    expect((await first.exited).exitCode).toBe(0);
    const again = type('bcast send two', account.env, account.home);
    expect(await again.exited).toEqual({ exitCode: 0, output: '' });
  });

  test('takes a no for an answer', async () => {
    const server = await startServer();
    const account = newAccount(undefined, { BCAST_SERVER: `bcast://127.0.0.1:${server.port}` });
    const terminal = type('bcast tail', account.env, account.home);
    await terminal.until('Is it the right one?');
    terminal.type('no\r');
    expect((await terminal.exited).exitCode).toBe(6);
  });

  test('asks for the code of a locked room and a password, and shows neither', async () => {
    const server = await startServer();
    const { client } = await enterClient(server, 'alice');
    await client.register('correct horse');
    await client.join('den', { create: 'locked' });
    await client.say('den', 'inside');
    const code = client.codeOf('den') as string;
    const account = newAccount(server);
    const terminal = type('bcast history -u alice -r den --raw', account.env, account.home);
    await terminal.until(/Password of alice: $/m);
    terminal.type('correct horse\r');
    await terminal.until(/den is locked\. Its code: $/m);
    terminal.type(`${code}\r`);
    const { exitCode, output } = await terminal.exited;
    expect([exitCode, output.endsWith('inside\r\n'), output.includes(code), output.includes('horse')]).toEqual([
      0,
      true,
      false,
      false,
    ]);
  });

  test('Ctrl-C at a question is Ctrl-C: exit code 130', async () => {
    const server = await startServer();
    const account = newAccount(undefined, { BCAST_SERVER: `bcast://127.0.0.1:${server.port}` });
    const terminal = type('bcast tail', account.env, account.home);
    await terminal.until('Is it the right one?');
    terminal.type('\x03');
    expect(await terminal.exited).toMatchObject({ exitCode: 130, output: expect.not.stringContaining('fault') });
  });

  test('does not ask in a pipe: that is exit code 6', async () => {
    const server = await startServer();
    const account = newAccount(undefined, { BCAST_SERVER: `bcast://127.0.0.1:${server.port}` });
    const { exitCode, output } = await type('echo hi | bcast send', account.env, account.home).exited;
    expect([exitCode, output]).toEqual([6, expect.stringContaining('--accept-new')]);
  });

  test('sends what is typed when only stdout goes elsewhere', async () => {
    const server = await startServer();
    const listener = await enterPeer('listener', server);
    await listener.join('lobby');
    const account = newAccount(server);
    const terminal = type('bcast connect -u al | cat', account.env, account.home);
    terminal.type('typed\r');
    await listener.nextOf('message', ({ body }) => body === 'typed');
    await listener.say('lobby', 'answered');
    await terminal.until('<listener> answered');
    terminal.type('\u0004');
    expect((await terminal.exited).exitCode).toBe(0);
  });

  test('without anything to send says so at once', async () => {
    const account = newAccount(await startServer());
    const { exitCode, output } = await type('bcast send', account.env, account.home).exited;
    expect([exitCode, output]).toEqual([2, expect.stringContaining('There is nothing to send')]);
  });

  test('ends at Ctrl-C with 130', async () => {
    const account = newAccount(await startServer());
    const terminal = type('bcast tail --events', account.env, account.home);
    await terminal.until('you are in lobby');
    terminal.type('\u0003');
    expect((await terminal.exited).exitCode).toBe(130);
  });
});
