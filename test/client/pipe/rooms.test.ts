import { describe, expect, test } from 'vitest';
import type { PipeOutput } from '../../../lib/client/pipe/options.ts';
import { BcastError } from '../../../lib/errors.ts';
import { requireRoomName, requireUserName } from '../../../lib/protocol/names.ts';
import { FakeClient, roomMessage } from './fake-client.ts';
import { start } from './line-mode.ts';

const follow: PipeOutput = { form: 'raw', events: false, backlog: null, follow: true };
const den = requireRoomName('den');

function lockedClient(...refusals: BcastError[]): FakeClient {
  const client = new FakeClient();
  client.refusals.push(...refusals);
  return client;
}

describe('a locked room', () => {
  test('is entered with the code that was given, once', async () => {
    const client = lockedClient(new BcastError('BAD_CODE'));
    const asked: string[] = [];
    const run = start({
      client,
      rooms: [den],
      code: 'WRONG',
      output: follow,
      askCode: async (room) => {
        asked.push(room);
        return 'X';
      },
    });
    await expect(run.done).rejects.toMatchObject({ code: 'BAD_CODE', exit: 4 });
    expect(client.joined).toMatchObject([{ room: 'den', options: { code: 'WRONG' } }]);
    expect(asked).toEqual([]);
  });

  test('whose code stands in the URL is entered with that, once', async () => {
    const client = lockedClient(new BcastError('BAD_CODE'));
    client.codes.set('den', 'WRONG');
    const run = start({ client, rooms: [den], output: follow, askCode: async () => 'A1B2C' });
    await expect(run.done).rejects.toMatchObject({ code: 'BAD_CODE' });
    expect(client.joined).toHaveLength(1);
  });

  test('asks the person who gave no code, once', async () => {
    const client = lockedClient(new BcastError('BAD_CODE'));
    const run = start({ client, rooms: [den], output: follow, count: 1, askCode: async () => 'A1B2C' });
    await client.until(() => client.joined.length === 2);
    expect(client.joined[1]).toMatchObject({ room: 'den', options: { code: 'A1B2C' } });
    client.emit(roomMessage('in'));
    expect(await run.done).toMatchObject({ exitCode: 0 });
    const twice = lockedClient(new BcastError('BAD_CODE'), new BcastError('BAD_CODE'));
    const wrong = start({ client: twice, rooms: [den], output: follow, askCode: async () => 'WRONG' });
    await expect(wrong.done).rejects.toMatchObject({ code: 'BAD_CODE' });
    expect(twice.joined).toHaveLength(2);
  });

  test('is refused to who has no code and nobody to ask', async () => {
    for (const askCode of [undefined, async () => null]) {
      const client = lockedClient(new BcastError('BAD_CODE'));
      const run = start({ client, rooms: [den], output: follow, ...(askCode !== undefined && { askCode }) });
      await expect(run.done).rejects.toMatchObject({ code: 'BAD_CODE', exit: 4 });
      expect(client.joined).toHaveLength(1);
    }
  });

  test('asks nobody for another reason than the code', async () => {
    const client = lockedClient(new BcastError('ROOM_FULL'));
    const run = start({ client, rooms: [den], output: follow, askCode: async () => expect.fail('asked') });
    await expect(run.done).rejects.toMatchObject({ code: 'ROOM_FULL' });
  });

  test('that is created tells its code and its URL on stderr, however quiet it is to be', async () => {
    const client = new FakeClient();
    client.banner = { code: 'A1B2C' };
    const run = start({ client, rooms: [den], create: 'locked', output: follow, count: 1, isQuiet: true });
    await client.until(() => client.joined.length > 0);
    expect(client.joined[0]?.options).toMatchObject({ create: 'locked', code: undefined });
    client.emit(roomMessage('x'));
    await run.done;
    expect(run.notes).toEqual(['The code of den is A1B2C. The server will not say it again.', 'bcast://h:7/den']);
    expect(run.collector.text).toBe('x\n');
  });

  test('that changed its code while we were away ends the run', async () => {
    const client = new FakeClient();
    const run = start({ client, rooms: [den], code: 'A1B2C', output: follow });
    await client.until(() => client.joined.length > 0);
    client.emit({ type: 'left', room: den, error: new BcastError('BAD_CODE') });
    await expect(run.done).rejects.toMatchObject({ code: 'BAD_CODE', exit: 4 });
  });
});

describe('history', () => {
  function past(...seqs: number[]) {
    return seqs.map((seq) => roomMessage(`m${seq}`, { seq, isHistory: true }));
  }

  const until = (beforeSeq: number, more: object = {}): PipeOutput => ({
    ...follow,
    follow: false,
    backlog: { beforeSeq, ...more },
  });

  test('ends before the message it is to end before', async () => {
    const client = new FakeClient();
    client.backlog = past(1, 2, 3, 4, 5);
    const run = start({ client, output: until(4) });
    expect(await run.done).toMatchObject({ exitCode: 0 });
    expect(run.collector.text).toBe('m1\nm2\nm3\n');
  });

  test('that ends sooner is written whole', async () => {
    const client = new FakeClient();
    client.backlog = past(1, 2);
    const run = start({ client, output: until(9) });
    expect(await run.done).toMatchObject({ exitCode: 0 });
    expect(run.collector.text).toBe('m1\nm2\n');
  });

  test('of the last before a message is counted from that message', async () => {
    const client = new FakeClient();
    client.backlog = past(2, 3, 4, 5);
    const run = start({ client, output: until(4, { last: 2 }) });
    await run.done;
    expect(client.joined[0]?.options?.backlog).toEqual({ afterSeq: 1 });
    expect(run.collector.text).toBe('m2\nm3\n');
  });

  test('of the last since a moment and before a message keeps to both', async () => {
    const client = new FakeClient();
    client.backlog = past(2, 3, 4, 5);
    const run = start({ client, output: until(5, { last: 1, sinceMs: 10 }) });
    await run.done;
    expect(run.collector.text).toBe('m4\n');
  });
});

describe('a search', () => {
  const search = { words: 'deploy', limit: 2, beforeSeq: undefined, form: 'text' } as const;
  const line = (seq: number) => roomMessage(`deploy ${seq}`, { seq, ts: Date.UTC(2026, 10, 21, 12), isHistory: true });

  test('writes what was found with its number and its day, and on stderr how far it looked', async () => {
    const client = new FakeClient();
    client.banner = { first: 1 };
    client.found = { messages: [line(7)], fromSeq: 1 };
    const run = start({ client, search });
    expect(await run.done).toMatchObject({ exitCode: 0 });
    expect(client.searches).toEqual([['lobby', 'deploy', { limit: 2, beforeSeq: undefined }]]);
    expect(run.collector.text).toMatch(/^#7 2026-11-2\d \d\d:\d\d <alice> deploy 7\n$/);
    expect(run.notes).toEqual(['Looked through all that is kept of lobby, which is what came since message 1.']);
  });

  test.each([
    [{ messages: [], fromSeq: 40 }, 'Looked through lobby back to message 40 only. For older ones: --before 40'],
    [{ messages: [line(5), line(7)], fromSeq: 1 }, 'These are the newest 2 of lobby. For older ones: --before 5'],
  ])('says where to go on (%#)', async (found, note) => {
    const client = new FakeClient();
    client.banner = { first: 1 };
    client.found = found;
    const run = start({ client, search });
    await run.done;
    expect(run.notes).toEqual([note]);
  });

  test('as JSON is what any message is', async () => {
    const client = new FakeClient();
    client.found = { messages: [line(7)], fromSeq: 1 };
    const run = start({ client, search: { ...search, form: 'json' }, isQuiet: true });
    await run.done;
    expect(JSON.parse(run.collector.text)).toMatchObject({
      v: 1,
      type: 'message',
      seq: 7,
      body: 'deploy 7',
      history: true,
    });
    expect(run.notes).toEqual([]);
  });

  test('shows nothing that is said meanwhile', async () => {
    const client = new FakeClient();
    client.backlog = [roomMessage('deploy now')];
    const run = start({ client, search });
    await run.done;
    expect(run.collector.text).toBe('');
  });
});

describe('what is published', () => {
  const published = {
    type: 'published',
    from: requireUserName('alice'),
    fp: `SHA256:${'A'.repeat(43)}`,
    kind: 'text',
    ts: 0,
    id: 'c'.repeat(32),
    body: 'news',
  } as const;

  test('is told like a private message, and counts', async () => {
    const client = new FakeClient();
    const run = start({ client, output: { ...follow, form: 'text' }, count: 1 });
    await client.until(() => client.joined.length > 0);
    client.emit(published);
    expect(await run.done).toMatchObject({ exitCode: 0 });
    expect(run.collector.text).toMatch(/^\d\d:\d\d <alice -> followers> news\n$/);
  });

  test('goes to followers, from no room', async () => {
    const client = new FakeClient();
    const run = start({
      client,
      rooms: [],
      destination: 'followers',
      stdin: 'news\nmore\n',
      input: { form: 'lines', stay: false },
    });
    await client.waiting(2);
    expect(client.said.map(({ where, body }) => [where, body])).toEqual([
      ['@followers', 'news'],
      ['@followers', 'more'],
    ]);
    for (const { acknowledge } of [...client.said]) acknowledge();
    expect(await run.done).toMatchObject({ exitCode: 0 });
    expect(client.joined).toEqual([]);
  });
});

describe('while the storage of the server is out of reach', () => {
  test('that is said once until something gets through, and acknowledgements are awaited no longer than usual', async () => {
    const client = new FakeClient();
    const run = start({ client, stdin: 'one\n', input: { form: 'lines', stay: false }, drainTimeoutMs: 1_000 });
    await client.waiting(1);
    const unavailable = { type: 'unavailable', retryAfterMs: 900 } as const;
    client.emit(unavailable);
    client.emit(unavailable);
    expect(run.notes).toEqual(['The storage of the server is out of reach. What needs it waits.']);
    await new Promise((resolve) => setImmediate(resolve));
    run.clock.advance(1_000);
    expect(await run.done).toMatchObject({ exitCode: 9 });
  });

  test('what is not stored is not written', async () => {
    const client = new FakeClient();
    const run = start({ client, output: follow, count: 1 });
    await client.until(() => client.joined.length > 0);
    const { isHistory: _isHistory, seq: _seq, ...said } = roomMessage('x');
    client.emit({ ...said, type: 'unstored' });
    client.emit(roomMessage('x'));
    await run.done;
    expect(run.collector.text).toBe('x\n');
  });
});

test('who only speaks tells nobody how far messages have got', async () => {
  const client = new FakeClient();
  client.acknowledgesAtOnce = true;
  await start({ client, stdin: 'x', input: { form: 'lines', stay: false } }).done;
  expect(client.joined[0]?.options?.marks).toBe(false);
  const reader = new FakeClient();
  await start({ client: reader, output: { ...follow, follow: false } }).done;
  expect(reader.joined[0]?.options?.marks).toBe(true);
});
