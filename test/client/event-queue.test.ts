import { describe, expect, test } from 'vitest';
import { EventQueue } from '../../lib/client/event-queue.ts';
import type { ClientEvent } from '../../lib/client/events.ts';
import { requireRoomName, requireUserName } from '../../lib/protocol/names.ts';

const room = requireRoomName('lobby');
const from = requireUserName('bob');

function message(seq: number, body = `m${seq}`): ClientEvent {
  return { type: 'message', room, seq, ts: 0, from, fp: '', id: '', kind: 'text', body, isHistory: false };
}

function latency(roundTripMs: number): ClientEvent {
  return { type: 'latency', roundTripMs };
}

function queueOf() {
  const pressure: (boolean | 'overflow')[] = [];
  const queue = new EventQueue({
    onPressure: (isFull) => pressure.push(isFull),
    onOverflow: () => pressure.push('overflow'),
  });
  return { queue, pressure };
}

async function take(iterator: AsyncIterator<ClientEvent>, count: number): Promise<(ClientEvent | undefined)[]> {
  const taken: (ClientEvent | undefined)[] = [];
  for (let i = 0; i < count; i += 1) taken.push((await iterator.next()).value);
  return taken;
}

describe('listeners', () => {
  test('hear every event in the turn in which it happens, until they want no more', () => {
    const { queue } = queueOf();
    const heard: ClientEvent[] = [];
    const stop = queue.subscribe((event) => heard.push(event));
    queue.push(latency(1));
    expect(heard).toEqual([latency(1)]);
    stop();
    queue.push(latency(2));
    expect(heard).toEqual([latency(1)]);
  });

  test('the first hears what happened before it came', () => {
    const { queue } = queueOf();
    queue.push(latency(1));
    const [first, second]: [ClientEvent[], ClientEvent[]] = [[], []];
    queue.subscribe((event) => first.push(event));
    queue.subscribe((event) => second.push(event));
    queue.push(latency(2));
    expect([first, second]).toEqual([[latency(1), latency(2)], [latency(2)]]);
  });

  test('that throw harm neither the others nor the caller', async () => {
    const { queue } = queueOf();
    const heard: ClientEvent[] = [];
    const uncaught = new Promise((resolve) => {
      const present = process.listeners('uncaughtException');
      process.removeAllListeners('uncaughtException');
      process.once('uncaughtException', (error) => {
        for (const listener of present) process.on('uncaughtException', listener);
        resolve(error);
      });
    });
    queue.subscribe(() => {
      throw new Error('mine');
    });
    queue.subscribe((event) => heard.push(event));
    queue.push(latency(1));
    expect(heard).toEqual([latency(1)]);
    expect(await uncaught).toMatchObject({ message: 'mine' });
  });
});

describe('readers', () => {
  test('get what was kept, then what comes, then the end', async () => {
    const { queue } = queueOf();
    queue.push(latency(1));
    const reader = queue.read();
    queue.push(latency(2));
    expect(await take(reader, 2)).toEqual([latency(1), latency(2)]);
    const waiting = reader.next();
    queue.push(latency(3));
    expect(await waiting).toEqual({ value: latency(3), done: false });
    queue.push(latency(4));
    queue.end();
    const rest: ClientEvent[] = [];
    for await (const event of reader) rest.push(event);
    expect(rest).toEqual([latency(4)]);
  });

  test('read from the moment they are asked for, whoever else listens', async () => {
    const { queue } = queueOf();
    const reader = queue.read();
    queue.subscribe(() => undefined);
    queue.push(latency(1));
    expect(await take(reader, 1)).toEqual([latency(1)]);
  });

  test('each get everything', async () => {
    const { queue } = queueOf();
    const readers = [queue.read(), queue.read()];
    for (const n of [1, 2, 3]) queue.push(latency(n));
    for (const reader of readers) expect(await take(reader, 3)).toEqual([latency(1), latency(2), latency(3)]);
  });

  test('that come after the end find the end', async () => {
    const { queue } = queueOf();
    queue.push(latency(1));
    queue.end();
    const reader = queue.read();
    expect(await take(reader, 2)).toEqual([latency(1), undefined]);
  });

  test('that wait are let go at the end', async () => {
    const { queue } = queueOf();
    const waiting = queue.read().next();
    queue.end();
    expect(await waiting).toEqual({ value: undefined, done: true });
  });

  test('get thousands of events in order, though they never catch up', async () => {
    const { queue } = queueOf();
    const reader = queue.read();
    const seen: unknown[] = [];
    for (let n = 0; n < 20_000; n += 1) {
      queue.push(latency(n));
      if (n % 2 === 1) seen.push((await reader.next()).value);
    }
    seen.push(...(await take(reader, 10_000)));
    expect(seen).toEqual(Array.from({ length: 20_000 }, (_, n) => latency(n)));
  });
});

describe('a slow reader', () => {
  const large = 'x'.repeat(1_048_576);

  test('has enough until it has read half', async () => {
    const { queue, pressure } = queueOf();
    const reader = queue.read();
    for (let seq = 1; seq <= 33; seq += 1) queue.push(message(seq, large));
    expect(pressure).toEqual([true]);
    await take(reader, 16);
    expect(pressure).toEqual([true]);
    await take(reader, 2);
    expect(pressure).toEqual([true, false]);
  });

  test('that leaves everything unread goes past all bounds', () => {
    const { queue, pressure } = queueOf();
    queue.read();
    for (let seq = 1; seq <= 65; seq += 1) queue.push(message(seq, large));
    expect(pressure).toEqual([true, 'overflow', 'overflow']);
  });

  test('holds nothing up any more when it has left', async () => {
    const { queue, pressure } = queueOf();
    const reader = queue.read();
    for (let seq = 1; seq <= 40; seq += 1) queue.push(message(seq, large));
    await reader.return?.();
    expect(pressure).toEqual([true, false]);
    for (let seq = 41; seq <= 80; seq += 1) queue.push(message(seq, large));
    expect(pressure).toEqual([true, false]);
  });
});

test('when nobody ever looks, nothing is held up, and who comes late is told what was let go', async () => {
  const { queue, pressure } = queueOf();
  const body = 'x'.repeat(65_536);
  for (let seq = 1; seq <= 100; seq += 1) queue.push(message(seq, body));
  expect(pressure).toEqual([]);
  const reader = queue.read();
  const first = (await reader.next()).value;
  expect(first).toMatchObject({ type: 'gap', room, first: 1 });
  let next = first?.type === 'gap' ? first.last + 1 : 0;
  while (next <= 100) {
    expect((await reader.next()).value).toMatchObject({ seq: next });
    next += 1;
  }
});
