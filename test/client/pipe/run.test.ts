import { PassThrough, Readable, Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { PipeOutput } from '../../../lib/client/pipe/options.ts';
import { runPipe } from '../../../lib/client/pipe/run.ts';
import { BcastError } from '../../../lib/errors.ts';
import { requireRoomName, requireUserName } from '../../../lib/protocol/names.ts';
import { Collector } from '../../helpers/collector.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';
import { FakeClient, privateMessage, roomMessage } from './fake-client.ts';
import { PLAIN, start } from './line-mode.ts';

const lobby = requireRoomName('lobby');
const stdinLines = { form: 'lines', stay: false } as const;
const follow: PipeOutput = { form: 'raw', events: false, backlog: null, follow: true };

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('sending', () => {
  test('says every line in order and ends with 0 when all are acknowledged', async () => {
    const { client, done, notes } = start({ input: stdinLines, stdin: 'one\n/quit\n\nlast' });
    await client.waiting(3);
    expect(client.said.map(({ where, body }) => [where, body])).toEqual([
      ['lobby', 'one'],
      ['lobby', '/quit'],
      ['lobby', 'last'],
    ]);
    for (const { acknowledge } of [...client.said]) acknowledge();
    expect(await done).toEqual({ exitCode: 0, isSettled: true });
    expect(client.isClosed).toBe(true);
    expect(notes).toEqual([]);
  });

  test('ends with 0 when there is nothing to send', async () => {
    const { done, client } = start({ input: stdinLines, stdin: '' });
    expect(await done).toEqual({ exitCode: 0, isSettled: true });
    expect(client.said).toEqual([]);
  });

  test('does not open stdin for a message from the command line, nor for receiving alone', async () => {
    const message = start({ input: { message: 'two\nlines' } });
    await message.client.waiting(1);
    expect(message.client.said[0]?.body).toBe('two\nlines');
    message.client.said[0]?.acknowledge();
    expect(await message.done).toMatchObject({ exitCode: 0 });
    expect(message.opened()).toBe(0);
    const receiving = start({ output: { ...follow, follow: false, backlog: {} } });
    await receiving.done;
    expect(receiving.opened()).toBe(0);
  });

  test('reads stdin only while the window has room', async () => {
    const stdin = new PassThrough();
    const { client, done } = start({ input: stdinLines, stdin });
    const lines = Array.from({ length: 3_000 }, (_, i) => String(i));
    stdin.end(`${lines.join('\n')}\n`);
    const got: string[] = [];
    while (got.length < lines.length) {
      await client.waiting(1);
      await turn();
      expect(client.said.length).toBeLessThanOrEqual(1_024);
      for (const { body, acknowledge } of [...client.said]) {
        got.push(body);
        acknowledge();
      }
    }
    expect(got).toEqual(lines);
    expect(await done).toMatchObject({ exitCode: 0 });
  });

  test('names each line that cannot be sent, sends the rest and ends with 11', async () => {
    const bad = Buffer.concat([
      Buffer.from('ok\n'),
      Buffer.from([0xff, 0x0a]),
      Buffer.from(`${'x'.repeat(101)}\nend\n`),
    ]);
    const { client, done, notes } = start({ input: stdinLines, stdin: Readable.from([bad]) });
    client.acknowledgesAtOnce = true;
    expect(await done).toMatchObject({ exitCode: 11 });
    expect(notes).toEqual([
      'line 2 is not valid UTF-8',
      'line 3 is longer than 100 bytes',
      '2 messages were not sent.',
    ]);
  });

  test('counts what the server refuses, and goes on', async () => {
    const { client, done, notes } = start({ input: stdinLines, stdin: 'a\nb\n' });
    await client.waiting(2);
    client.said[0]?.refuse(new BcastError('MESSAGE_TOO_LARGE', { text: 'Too large\u001b.' }));
    client.said[0]?.acknowledge();
    expect(await done).toMatchObject({ exitCode: 11 });
    expect(notes).toEqual(['line 1 was refused: Too large\\x1b.']);
  });

  test('ends with the reason when it is put out of the room', async () => {
    const { client, done } = start({ input: stdinLines, stdin: 'a\nb\n' });
    await client.waiting(2);
    client.said[0]?.refuse(new BcastError('ROOM_KICKED'));
    await expect(done).rejects.toMatchObject({ code: 'ROOM_KICKED', exit: 7 });
  });

  test('joins the rooms that objects name, each once, and tells persons', async () => {
    const lines = [
      { body: '1', room: 'builds' },
      { body: '2', to: 'bob' },
      { body: '3', room: 'builds' },
      { body: '4' },
    ];
    const stdin = lines.map((line) => JSON.stringify(line)).join('\n');
    const { client, done } = start({ input: { form: 'ndjson', stay: false }, stdin });
    await client.waiting(4);
    expect(client.said.map(({ where, body }) => `${where} ${body}`).sort()).toEqual([
      '@bob 2',
      'builds 1',
      'builds 3',
      'lobby 4',
    ]);
    expect(client.joined.map(({ room }) => room)).toEqual(['lobby', 'builds']);
    for (const { acknowledge } of [...client.said]) acknowledge();
    expect(await done).toMatchObject({ exitCode: 0 });
  });

  test('writes receipts as they come', async () => {
    const { client, done, collector } = start({ input: stdinLines, stdin: 'a\n', receipts: true });
    await client.waiting(1);
    const id = client.said[0]?.id ?? '';
    client.said[0]?.acknowledge();
    await done;
    expect(JSON.parse(collector.text)).toMatchObject({ seq: 1, room: 'lobby', ts: '1970-01-01T00:00:00.000Z' });
    expect(JSON.parse(collector.text).id.replaceAll('-', '')).toBe(id);
    expect(Object.keys(JSON.parse(collector.text))).toEqual(['seq', 'id', 'room', 'ts']);
  });

  test('reports input that cannot be read', async () => {
    const stdin = new Readable({
      read() {
        this.destroy(new Error('EISDIR: illegal operation on a directory, read'));
      },
    });
    const { done } = start({ input: stdinLines, stdin });
    await expect(done).rejects.toMatchObject({ code: 'INPUT_FAILED', exit: 1 });
  });
});

describe('the wait for acknowledgements', () => {
  test('ends with 9 when none has come for the drain time', async () => {
    const { client, clock, done, notes } = start({ input: stdinLines, stdin: 'a\nb\n', drainTimeoutMs: 5_000 });
    await client.waiting(2);
    await turn();
    clock.advance(4_000);
    client.said[0]?.acknowledge();
    await turn();
    clock.advance(4_999);
    await turn();
    expect(client.isClosed).toBe(false);
    clock.advance(1);
    expect(await done).toMatchObject({ exitCode: 9 });
    expect(notes).toEqual(['1 message was not acknowledged; it may or may not have arrived.']);
  });

  test('is as patient as the server asks for', async () => {
    const { client, clock, done } = start({ input: stdinLines, stdin: 'a\n', drainTimeoutMs: 1_000 });
    await client.waiting(1);
    await turn();
    client.emit({ type: 'slowDown', retryAfterMs: 60_000 });
    clock.advance(60_999);
    await turn();
    expect(client.isClosed).toBe(false);
    client.said[0]?.acknowledge();
    expect(await done).toMatchObject({ exitCode: 0 });
  });
});

describe('receiving', () => {
  test('writes what others say, and not what came from here', async () => {
    const { client, done, collector } = start({
      input: stdinLines,
      stdin: new PassThrough(),
      output: follow,
      count: 2,
    });
    await client.until(() => client.joined.length > 0);
    client.emit(roomMessage('hi'));
    client.emit(privateMessage('psst'));
    expect(await done).toMatchObject({ exitCode: 0 });
    expect(collector.text).toBe('hi\npsst\n');
    const echo = start({ input: stdinLines, stdin: 'mine\n', output: follow });
    await echo.client.waiting(1);
    echo.client.said[0]?.acknowledge();
    await echo.done;
    expect(echo.collector.text).toBe('');
  });

  test('stops at the count, whatever else has come', async () => {
    const { client, done, collector } = start({ output: follow, count: 2 });
    await client.until(() => client.joined.length > 0);
    for (const body of ['1', '2', '3']) client.emit(roomMessage(body));
    expect(await done).toMatchObject({ exitCode: 0 });
    expect(collector.text).toBe('1\n2\n');
  });

  test('shows only the newest of the backlog that were asked for', async () => {
    const client = new FakeClient();
    client.backlog = ['1', '2', '3'].map((body) => roomMessage(body, { isHistory: true }));
    const { done, collector } = start({
      client,
      output: { ...follow, follow: false, backlog: { sinceSeq: 0, last: 2 } },
    });
    expect(await done).toMatchObject({ exitCode: 0 });
    expect(collector.text).toBe('2\n3\n');
    expect(client.joined[0]?.options?.backlog).toEqual({ afterSeq: 0 });
  });

  test('asks for the backlog that the flags mean', async () => {
    const asked = async (backlog: PipeOutput['backlog']) => {
      const { client, done, clock } = start({ output: { ...follow, follow: false, backlog } });
      await done;
      return [client.joined[0]?.options?.backlog, clock.nowMs()] as const;
    };
    expect((await asked({ last: 5 }))[0]).toEqual({ last: 5 });
    expect((await asked({}))[0]).toEqual({ last: Number.MAX_SAFE_INTEGER });
    const [backlog, nowMs] = await asked({ sinceMs: 60_000 });
    expect(backlog).toEqual({ sinceMs: nowMs - 60_000 });
    expect((await asked(null))[0]).toBeUndefined();
  });

  test('keeps the order when live messages come while the backlog is being written', async () => {
    const client = new FakeClient();
    client.backlog = ['1', '2'].map((body) => roomMessage(body, { isHistory: true }));
    const texts: string[] = [];
    const waiting: (() => void)[] = [];
    const stdout = new Writable({
      highWaterMark: 1,
      write(chunk, _encoding, written) {
        texts.push(String(chunk));
        waiting.push(written);
      },
    });
    const { done } = start({ client, stdout, output: { ...follow, backlog: { last: 2 } }, count: 3 });
    await client.until(() => client.joined.length > 0);
    while (texts.length < 1) await turn();
    client.emit(roomMessage('live'));
    while (texts.length < 3) {
      waiting.shift()?.();
      await turn();
    }
    waiting.shift()?.();
    await done;
    expect(texts).toEqual(['1\n', '2\n', 'live\n']);
  });

  test('shows joins and the like only when asked', async () => {
    const presence = {
      type: 'presence',
      room: lobby,
      changes: [{ change: 'join', name: requireUserName('al'), other: null, text: null }],
    } as const;
    const outputs = await Promise.all(
      [false, true].map(async (events) => {
        const { client, done, collector } = start({ output: { ...follow, form: 'json', events }, count: 1 });
        await client.until(() => client.joined.length > 0);
        expect(client.joined[0]?.options?.watch).toBe(events);
        client.emit(presence);
        client.emit(roomMessage('x'));
        await done;
        return collector.text
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line).type);
      }),
    );
    expect(outputs).toEqual([['message'], ['joined', 'join', 'message']]);
  });

  test('says a gap and a forgotten room on stderr, even when it is to be quiet', async () => {
    const { client, done, notes } = start({ output: follow, count: 1, isQuiet: true });
    await client.until(() => client.joined.length > 0);
    client.emit({ type: 'gap', room: lobby, first: 3, last: 9 });
    client.emit({ type: 'forgotten', room: lobby });
    client.emit(roomMessage('x'));
    await done;
    expect(notes).toEqual([
      'messages 3 to 9 of lobby can no longer be had (7 lost)',
      'the server started over and forgot lobby: earlier messages are gone, and its numbers begin again',
    ]);
  });
});

describe('an ending', () => {
  test('at the end of stdin leaves what stays behind: with --stay it goes on', async () => {
    const { client, done, collector } = start({
      input: { form: 'lines', stay: true },
      stdin: 'a\n',
      output: follow,
      count: 1,
    });
    await client.waiting(1);
    client.said[0]?.acknowledge();
    await turn();
    expect(client.isClosed).toBe(false);
    client.emit(roomMessage('answer', { id: 'c'.repeat(32) }));
    expect(await done).toMatchObject({ exitCode: 0 });
    expect(collector.text).toBe('answer\n');
  });

  test('by silence comes that long after the last message, with 0', async () => {
    const { client, clock, done } = start({ output: follow, idleMs: 1_000 });
    await client.until(() => client.joined.length > 0);
    clock.advance(900);
    client.emit(roomMessage('x'));
    clock.advance(999);
    await turn();
    expect(client.isClosed).toBe(false);
    clock.advance(1);
    expect(await done).toMatchObject({ exitCode: 0 });
  });

  test('by time comes with 10, before connecting too', async () => {
    const { clock, done, notes } = start({ output: follow, timeoutMs: 1_000 });
    await turn();
    clock.advance(1_000);
    expect(await done).toEqual({ exitCode: 10, isSettled: true });
    expect(notes).toEqual(['The time given with --timeout ran out.']);
    const never = new ManualClock();
    const connecting = runPipe({
      options: { ...PLAIN, output: follow, timeoutMs: 500 },
      streams: { openStdin: () => Readable.from([]), stdout: new Collector().stream, note: () => undefined },
      clock: never,
      signal: new AbortController().signal,
      connect: () => new Promise(() => undefined),
    });
    never.advance(500);
    expect(await connecting).toEqual({ exitCode: 10, isSettled: false });
  });

  test('says once what the first connection waits for', async () => {
    const error = new BcastError('UNAVAILABLE', { retryAfterMs: 1_000 });
    const notes: string[] = [];
    const client = new FakeClient();
    const run = (isQuiet: boolean) =>
      runPipe({
        options: { ...PLAIN, isQuiet },
        streams: {
          openStdin: () => Readable.from([]),
          stdout: new Collector().stream,
          note: (line) => notes.push(line),
        },
        clock: new ManualClock(),
        signal: AbortSignal.timeout(10_000),
        async connect(onFirstWait) {
          for (let attempt = 1; attempt < 4; attempt += 1) onFirstWait(error);
          return client.asClient();
        },
      });
    expect((await run(false)).exitCode).toBe(0);
    expect(notes).toEqual([`${error.message} Trying for up to 30s.`]);
    await run(true);
    expect(notes).toHaveLength(1);
  });

  test('by a signal waits only for what is on its way', async () => {
    const stdin = new PassThrough();
    const { client, stop, done } = start({ input: stdinLines, stdin });
    stdin.write('a\n');
    await client.waiting(1);
    stop.abort();
    stdin.write('b\n');
    await turn();
    expect(client.isClosed).toBe(false);
    expect(client.said.map(({ body }) => body)).toEqual(['a']);
    client.said[0]?.acknowledge();
    await done;
    expect(client.isClosed).toBe(true);
  });

  test('by a signal sends nothing more of what was read', async () => {
    const lines = Array.from({ length: 2_000 }, (_, i) => String(i));
    const { client, stop, done } = start({ input: stdinLines, stdin: lines.join('\n') });
    await client.waiting(1_024);
    stop.abort();
    client.said[0]?.acknowledge();
    await turn();
    expect(client.said.length).toBe(1_023);
    for (const { acknowledge } of [...client.said]) acknowledge();
    await done;
  });

  test('by a signal does not wait for a reader who does not read', async () => {
    const stdout = new Writable({ highWaterMark: 1, write: () => undefined });
    const { client, clock, stop, done } = start({ output: follow, stdout });
    await client.until(() => client.joined.length > 0);
    client.emit(roomMessage('x'));
    await turn();
    stop.abort();
    await turn();
    clock.advance(2_000);
    expect(await done).toMatchObject({ isSettled: false });
  });

  test('comes when nobody reads stdout any more, with 0 and without a word', async () => {
    const epipe = () => Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });
    const stdout = new Writable({ write: (_chunk, _encoding, written) => written(epipe()) });
    const { client, done, notes } = start({ output: follow, stdout });
    await client.until(() => client.joined.length > 0);
    client.emit(roomMessage('x'));
    expect(await done).toMatchObject({ exitCode: 0 });
    expect(notes).toEqual([]);
  });

  test('does not come from a reader of receipts who leaves: the lines still have to arrive', async () => {
    const epipe = () => Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });
    const stdout = new Writable({ write: (_chunk, _encoding, written) => written(epipe()) });
    const { client, done } = start({ input: stdinLines, stdin: 'a\nb\n', receipts: true, stdout });
    await client.waiting(2);
    client.said[0]?.acknowledge();
    await turn();
    client.said[0]?.acknowledge();
    expect(await done).toMatchObject({ exitCode: 0 });
  });

  test('by a full disk is told', async () => {
    const stdout = new Writable({
      write: (_chunk, _encoding, written) => written(Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })),
    });
    const { client, done } = start({ output: follow, stdout });
    await client.until(() => client.joined.length > 0);
    client.emit(roomMessage('x'));
    await expect(done).rejects.toMatchObject({ code: 'OUTPUT_FAILED', exit: 1 });
  });

  test('by the client for good is told with its reason', async () => {
    const { client, done } = start({ output: follow });
    await client.until(() => client.joined.length > 0);
    client.emit({ type: 'status', status: { state: 'closed', error: new BcastError('SERVER_CHANGED') } });
    await expect(done).rejects.toMatchObject({ code: 'SERVER_CHANGED', exit: 6 });
  });

  test('comes with the last room, and not with another', async () => {
    const removed = {
      type: 'removed',
      removal: 'kick',
      by: requireUserName('al'),
      reason: null,
      untilMs: null,
    } as const;
    const one = start({ output: follow });
    await one.client.until(() => one.client.joined.length > 0);
    one.client.emit({ ...removed, room: lobby });
    await expect(one.done).rejects.toMatchObject({ code: 'ROOM_KICKED' });
    const two = start({ output: follow, rooms: [lobby, requireRoomName('builds')], count: 1 });
    await two.client.until(() => two.client.joined.length > 1);
    two.client.emit({ ...removed, room: lobby });
    two.client.emit(roomMessage('x'));
    expect(await two.done).toMatchObject({ exitCode: 0 });
    expect(two.notes).toEqual(['al removed you from lobby.']);
  });
});
