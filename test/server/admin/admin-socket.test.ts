import { chmodSync, existsSync, linkSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type AdminSocket, MAX_LINE_BYTES, openAdminSocket } from '../../../lib/server/admin/admin-socket.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';
import { scratchDir } from '../../helpers/scratch-dir.ts';

async function open(
  over: { readonly path?: string; readonly answer?: (line: string) => Promise<string> } = {},
): Promise<AdminSocket & { readonly clock: ManualClock }> {
  const clock = new ManualClock();
  const path = over.path ?? join(scratchDir(), 'run', 'a.sock');
  const answer = over.answer ?? ((line: string) => Promise.resolve(line.toUpperCase()));
  const socket = await openAdminSocket({ path, answer, clock });
  onTestFinished(() => socket.close());
  return { ...socket, clock };
}

interface Caller {
  readonly socket: Socket;
  /** All that came until the other end closed. */
  readonly all: Promise<string>;
  /** Resolves once so many lines have come. */
  lines(count: number): Promise<string[]>;
}

async function call(path: string): Promise<Caller> {
  const socket = connect({ path });
  onTestFinished(() => void socket.destroy());
  let text = '';
  let wake = (): void => undefined;
  socket.on('data', (bytes) => {
    text += String(bytes);
    wake();
  });
  socket.on('error', () => undefined);
  const all = new Promise<string>((resolve) => socket.once('close', () => resolve(text)));
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  return {
    socket,
    all,
    async lines(count) {
      while (text.split('\n').length <= count) await new Promise<void>((resolve) => (wake = resolve));
      return text.split('\n').slice(0, count);
    },
  };
}

describe('the admin socket', () => {
  test('can be opened by its owner alone, in a directory closed to all others', async () => {
    const directory = join(scratchDir(), 'run');
    mkdirSync(directory);
    chmodSync(directory, 0o777);
    const { path } = await open({ path: join(directory, 'a.sock') });
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('answers line by line, in order, however they are cut', async () => {
    const { path } = await open();
    const caller = await call(path);
    caller.socket.write('one\ntw');
    caller.socket.write('o\nthree\n');
    expect(await caller.lines(3)).toEqual(['ONE', 'TWO', 'THREE']);
  });

  test('does one thing after the other for each caller', async () => {
    const gates: (() => void)[] = [];
    const answer = (line: string) => new Promise<string>((resolve) => gates.push(() => resolve(line)));
    const { path } = await open({ answer });
    const [first, second] = [await call(path), await call(path)];
    first.socket.write('1\n2\n');
    second.socket.write('3\n');
    while (gates.length < 2) await new Promise((resolve) => setImmediate(resolve));
    gates[1]?.();
    expect(await second.lines(1)).toEqual(['3']);
    expect(gates).toHaveLength(2);
    gates[0]?.();
    expect(await first.lines(1)).toEqual(['1']);
    while (gates.length < 3) await new Promise((resolve) => setImmediate(resolve));
    gates[2]?.();
    expect(await first.lines(2)).toEqual(['1', '2']);
  });

  test('answers whoever has said that this was all, and then closes', async () => {
    const { path } = await open();
    const { socket, all } = await call(path);
    socket.end('ask\n');
    expect(await all).toBe('ASK\n');
    const silent = await call(path);
    silent.socket.end('half a li');
    expect(await silent.all).toBe('');
  });

  test('closes on a line without end', async () => {
    let asked = 0;
    const { path } = await open({
      answer: async () => {
        asked += 1;
        return '';
      },
    });
    const { socket, all } = await call(path);
    socket.write('x'.repeat(MAX_LINE_BYTES + 1));
    expect(await all).toBe('');
    expect(asked).toBe(0);
  });

  test('takes a line as long as may be', async () => {
    const { path } = await open({ answer: async (line) => String(line.length) });
    const { socket, lines } = await call(path);
    socket.write(`${'x'.repeat(MAX_LINE_BYTES - 1)}\n`);
    expect(await lines(1)).toEqual([String(MAX_LINE_BYTES - 1)]);
  });

  test('closes on who asks nothing for half a minute, but not on who waits for an answer', async () => {
    const gate = Promise.withResolvers<string>();
    const { path, clock } = await open({ answer: () => gate.promise });
    const [silent, asking] = [await call(path), await call(path)];
    asking.socket.write('go\n');
    // One timer is left when the answer of the other is under way.
    while (clock.pendingTimers !== 1) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(30_000);
    expect(await silent.all).toBe('');
    gate.resolve('done');
    expect(await asking.lines(1)).toEqual(['done']);
  });

  test('has places for sixteen', async () => {
    const { path } = await open();
    const callers: Caller[] = [];
    for (let i = 0; i < 16; i += 1) callers.push(await call(path));
    expect(await (await call(path)).all).toBe('');
    callers[15]?.socket.write('still here\n');
    expect(await callers[15]?.lines(1)).toEqual(['STILL HERE']);
  });

  test('cuts whoever is connected when it closes, and leaves no file', async () => {
    const admin = await open();
    const { all } = await call(admin.path);
    admin.close();
    expect(await all).toBe('');
    expect(existsSync(admin.path)).toBe(false);
  });
});

describe('where a socket is already', () => {
  test('one that nobody listens on is replaced', async () => {
    const path = join(scratchDir(), 'a.sock');
    await leaveBehind(path);
    expect(existsSync(path)).toBe(true);
    await open({ path });
    const { socket, lines } = await call(path);
    socket.write('new\n');
    expect(await lines(1)).toEqual(['NEW']);
  });

  test('something else of that name is replaced too: it is ours', async () => {
    const path = join(scratchDir(), 'a.sock');
    writeFileSync(path, '');
    await open({ path });
    await call(path);
  });

  test('one that somebody listens on is left alone', async () => {
    const path = join(scratchDir(), 'a.sock');
    await open({ path, answer: async () => 'first' });
    await expect(open({ path })).rejects.toMatchObject({ code: 'CONFIG' });
    const { socket, lines } = await call(path);
    socket.write('who?\n');
    expect(await lines(1)).toEqual(['first']);
  });
});

/** A socket file whose process is gone: another name of it stays when the listener removes its own. */
async function leaveBehind(path: string): Promise<void> {
  const server: Server = createServer();
  const other = `${path}.x`;
  await new Promise<void>((resolve) => server.listen(other, resolve));
  linkSync(other, path);
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
