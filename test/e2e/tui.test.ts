import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Client, type ClientEvent, connect } from '../../lib/client/client.ts';
import { newIdentity } from '../helpers/peer.ts';
import { startServer, type TestServer } from '../helpers/server.ts';
import { TestTerminal } from '../helpers/terminal.ts';
import { newAccount } from './bcast.ts';

const BCAST = join(import.meta.dirname, '../../bin/bcast.ts');

interface Size {
  readonly columns?: number;
  readonly rows?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** `bcast connect` in a terminal of its own, closed when the test ends. */
function openScreen(
  server: TestServer,
  args: readonly string[],
  { columns = 100, rows = 30, env = {} }: Size = {},
): TestTerminal {
  const account = newAccount(server);
  const words = [BCAST, 'connect', ...args];
  const terminal = new TestTerminal(process.execPath, words, {
    columns,
    rows,
    env: { ...account.env, ...env },
    cwd: account.home,
  });
  onTestFinished(() => terminal.close());
  return terminal;
}

/** Somebody else in the lobby, and all they hear. */
async function somebody(
  server: TestServer,
  name: string,
  identity = newIdentity(),
): Promise<{ client: Client; heard: ClientEvent[] }> {
  const heard: ClientEvent[] = [];
  const client = await connect({
    server: { host: '127.0.0.1', port: server.port },
    user: name,
    identity,
    trust: { fingerprint: server.fingerprint },
    onEvent: (event) => heard.push(event),
  });
  onTestFinished(() => client.close());
  await client.join('lobby', { watch: true });
  return { client, heard };
}

const bodies = (heard: readonly ClientEvent[]): string[] =>
  heard.flatMap((event) => (event.type === 'message' ? [event.body] : []));

/** Resolves when `check` holds, looked at whenever the client is told something. */
function heardUntil({ client }: { client: Client }, check: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const stop = client.subscribe(() => {
      if (!check()) return;
      stop();
      resolve();
    });
    if (check()) resolve();
  });
}

describe('a conversation', () => {
  test('goes both ways, and the terminal is as before afterwards', async () => {
    const server = await startServer();
    const bob = await somebody(server, 'bob');
    const screen = openScreen(server, ['-u', 'alice']);
    await screen.until('30d.');
    expect(screen.isAlternate).toBe(true);
    expect(screen.isBracketedPaste).toBe(true);

    await bob.client.say('lobby', 'hello there');
    await screen.until(/bob {2}hello there/);
    screen.type('hi bob\r');
    await heardUntil(bob, () => bodies(bob.heard).includes('hi bob'));
    await screen.until(/alice {2}hi bob/);
    await screen.until(/alice\s*\n.*bob/);

    screen.type('/quit\r');
    const { exitCode, output } = await screen.exited;
    expect(exitCode).toBe(0);
    expect(output).toContain('\x1b[?2004l');
    expect(output).toContain('\x1b[?7h');
    expect(output.lastIndexOf('\x1b[?1049l')).toBeGreaterThan(output.lastIndexOf('\x1b[?1049h'));
    expect(screen.isAlternate).toBe(false);
    expect(screen.isBracketedPaste).toBe(false);
  });

  test('takes every line of fast typing, and three pasted lines as one message', async () => {
    const server = await startServer();
    const bob = await somebody(server, 'bob');
    const screen = openScreen(server, ['-u', 'alice']);
    await screen.until('30d.');
    screen.type('first\rsecond\rthird');
    await heardUntil(bob, () => bodies(bob.heard).length === 2);
    await screen.until(/#lobby › third$/m);
    screen.type('\x15');
    screen.paste('one\ntwo\nthree');
    await screen.until(/› one\s*\n\s+two\s*\n\s+three/);
    screen.type('\r');
    await heardUntil(bob, () => bodies(bob.heard).length === 3);
    expect(bodies(bob.heard)).toEqual(['first', 'second', 'one\ntwo\nthree']);
  });

  test('in private gets its own window', async () => {
    const server = await startServer();
    const bob = await somebody(server, 'bob');
    const screen = openScreen(server, ['-u', 'alice']);
    await screen.until('30d.');
    await bob.client.tell('alice', 'psst');
    await screen.until(/2 bob +@1/);
    screen.type('\x1b2');
    await screen.until(/bob {2}psst/);
    screen.type('what?\r');
    await screen.until(/alice {2}what\?/);
    await heardUntil(bob, () => bob.heard.some((event) => event.type === 'private' && event.body === 'what?'));
  });
});

describe('the screen', () => {
  test('keeps the cursor where the next character goes, behind wide characters too', async () => {
    const server = await startServer();
    const screen = openScreen(server, ['-u', 'alice']);
    await screen.until('30d.');
    const prompt = ' #lobby › '.length;
    await screen.until(({ cursor }) => cursor.column === prompt && cursor.row === 29);
    screen.type('añ日本');
    await screen.until(({ cursor }) => cursor.column === prompt + 6);
    // Left over one wide character, in the form of the keypad mode and in the other.
    screen.type('\x1bOD');
    await screen.until(({ cursor }) => cursor.column === prompt + 4);
    screen.type('\x1b[D');
    await screen.until(({ cursor }) => cursor.column === prompt + 2);
    screen.type('X');
    await screen.until('› añX日本');
  });

  test('keeps its rules in their columns whatever people write', async () => {
    const server = await startServer();
    const bob = await somebody(server, 'bob');
    const sara = await somebody(server, 'שרה');
    const screen = openScreen(server, ['-u', 'alice']);
    await screen.until('30d.');
    await bob.client.say('lobby', 'emoji 👍👍🏽 ❤️ 👨‍👩‍👧‍👦 🇩🇪🇫🇷 1️⃣ ☕ end');
    await bob.client.say('lobby', '👨‍👩‍👧‍👦'.repeat(40));
    await bob.client.say('lobby', '日本語のテキスト、'.repeat(12));
    await bob.client.say('lobby', `z${'\u0300\u0301\u0302\u0303\u0304\u0305'.repeat(20)}algo क्षि नमस्ते สวัสดี`);
    await sara.client.say('lobby', 'שלום לכולם 123 בוקר טוב');
    await bob.client.say('lobby', 'all done');
    await screen.until('all done');
    const rules = (column: number): readonly string[] => screen.column(column, column + 1).slice(1, -2);
    const isRule = (text: string): boolean => /^│\u200e?$/.test(text);
    // The list of rooms takes 20 columns, that of members 18.
    expect(rules(19).filter((text) => !isRule(text))).toEqual([]);
    expect(rules(82).filter((text) => !isRule(text))).toEqual([]);
  });

  test('shows what peers send, and does not obey it', async () => {
    const server = await startServer();
    const bob = await somebody(server, 'bob');
    const screen = openScreen(server, ['-u', 'alice'], { columns: 160 });
    await screen.until('30d.');
    await bob.client.say('lobby', 'a\x1b[2Jb\x1b]0;owned\x07c\u202eevil\u009b31md');
    await bob.client.topic('lobby', 'top\x1b[?1049lic');
    await screen.until('a\\x1b[2Jb\\x1b]0;owned\\x07c\\u202eevil\\x9b31md');
    await screen.until('top\\x1b[?1049lic');
    expect(screen.output).not.toContain('\x1b]0;owned');
    expect(screen.output).not.toContain('\u202e');
    expect(screen.output).not.toContain('\u009b');
    expect(screen.isAlternate).toBe(true);
  });

  test('follows the terminal down to 40x10 and back, and waits below that', async () => {
    const server = await startServer();
    const bob = await somebody(server, 'bob');
    const screen = openScreen(server, ['-u', 'alice'], { columns: 120, rows: 35 });
    await screen.until('30d.');
    await bob.client.say('lobby', 'can you still read this line when the terminal gets small?');
    await screen.until('can you still read');
    screen.resize(40, 10);
    await screen.until(/^ 1 #lobby/);
    expect(screen.text()).toMatch(/bob can you still read this line\s*\n\s+when the terminal/);
    screen.type('yes');
    await screen.until('#lobby › yes');
    screen.resize(20, 5);
    await screen.until('too small');
    screen.type('!\r');
    await heardUntil(bob, () => bodies(bob.heard).includes('yes!'));
    screen.resize(120, 35);
    await screen.until(/alice {2}yes!/);
    // The cursor comes last in a frame.
    await screen.until(({ cursor }) => cursor.row === 34);
    expect(screen.column(19, 20).slice(1, -2).join('')).toBe('│'.repeat(32));
    expect(screen.line(34).trimEnd()).toBe(' #lobby ›');
  });

  test('has no colours under NO_COLOR', async () => {
    const server = await startServer();
    const screen = openScreen(server, ['-u', 'alice'], { env: { NO_COLOR: '1' } });
    await screen.until('30d.');
    screen.type('/quit\r');
    const { output } = await screen.exited;
    const colours = output
      .split('\x1b[')
      .filter((after) => /^(?:\d+;)*(?:3[0-8]|4[0-8]|9\d|10\d)(?:;\d+)*m/.test(after));
    expect(colours).toEqual([]);
  });
});

describe('leaving', () => {
  test('by Ctrl-C takes two, the first clears the line', async () => {
    const server = await startServer();
    const screen = openScreen(server, ['-u', 'alice']);
    await screen.until('30d.');
    screen.type('half a thought\x03');
    await screen.until('Ctrl-C again to quit');
    expect(screen.line(29).trimEnd()).toBe(' #lobby ›');
    screen.type('\x03');
    expect((await screen.exited).exitCode).toBe(0);
    expect(screen.isAlternate).toBe(false);
  });

  test('on SIGTERM gives the terminal back and exits with 143', async () => {
    const server = await startServer();
    const screen = openScreen(server, ['-u', 'alice']);
    await screen.until('30d.');
    process.kill(screen.pid, 'SIGTERM');
    expect((await screen.exited).exitCode).toBe(143);
    expect(screen.isAlternate).toBe(false);
  });

  test('by Ctrl-Z goes to the background and comes back whole', async () => {
    const server = await startServer();
    const account = newAccount(server);
    const shell = new TestTerminal('bash', ['--norc', '--noprofile', '-i'], {
      columns: 80,
      rows: 24,
      env: { ...account.env, PS1: 'ready$ ' },
      cwd: account.home,
    });
    onTestFinished(() => shell.close());
    await shell.until('ready$');
    shell.type(`${process.execPath} ${BCAST} connect -u alice\r`);
    await shell.until('30d.');
    shell.type('unfinished\x1a');
    await shell.until(/Stopped/);
    expect(shell.isAlternate).toBe(false);
    shell.type('fg\r');
    await shell.until('› unfinished');
    expect(shell.isAlternate).toBe(true);
    shell.type(' business');
    await shell.until('› unfinished business');
    shell.type('\x03\x03');
    await shell.until(({ isAlternate, text }) => !isAlternate && text.call(shell).includes('ready$'));
  });

  test('because the server says so prints one line and exits with its code', async () => {
    const identity = newIdentity();
    const server = await startServer({ admins: [identity.fingerprint] });
    const bob = await somebody(server, 'bob', identity);
    const screen = openScreen(server, ['-u', 'alice']);
    await screen.until('30d.');
    await bob.client.ban(null, 'alice', null, 'spam\x1b[2J');
    const { exitCode } = await screen.exited;
    expect(exitCode).toBe(7);
    expect(screen.isAlternate).toBe(false);
    expect(screen.text().trim()).toMatch(/^bcast: .*banned.*spam\\x1b\[2J/);
  });
});

test('leaving with something unsaid says how much and exits with 9', async () => {
  const server = await startServer();
  const screen = openScreen(server, ['-u', 'alice']);
  await screen.until('30d.');
  await server.stop();
  await screen.until(/offline, trying again/);
  screen.type('too late\r');
  await screen.until(/… {2}too late/);
  screen.type('/quit\r');
  expect((await screen.exited).exitCode).toBe(9);
  expect(screen.text()).toContain('One message was not sent.');
});

test('survives a restart of the server: says so, comes back, and goes on', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'bcast-restart-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const first = await startServer({ dataDir });
  const screen = openScreen(first, ['-u', 'alice'], { columns: 160 });
  await screen.until('30d.');
  screen.type('before\r');
  await screen.until(/alice {2}before/);
  await first.stop();
  await screen.until(/offline, trying again in/);
  screen.type('said while it was away\r');
  await screen.until(/… {2}said while it was away/);
  const second = await startServer({ dataDir, port: first.port });
  const bob = await somebody(second, 'bob');
  await screen.until('Connected again.');
  await screen.until('forgotten this room');
  await screen.until(/alice {2}said while it was away/);
  await bob.client.say('lobby', 'welcome back');
  await screen.until(/bob {2}welcome back/);
  expect(screen.text().match(/said while/g)).toHaveLength(1);
});
