import { describe, expect, test } from 'vitest';
import type { Request } from '../../../lib/protocol/messages.ts';
import { RequestLine } from '../../../lib/server/session/request-line.ts';

class LineHarness {
  readonly handled: number[] = [];
  readonly line: RequestLine;
  isHeld = false;
  emptied = 0;
  onHandle: () => void = () => undefined;
  /** What the next requests lead to; nothing by default. */
  readonly work = new Map<number, Promise<void>>();
  #turns: (() => void)[] = [];

  constructor() {
    this.line = new RequestLine({
      handle: ({ req }) => {
        this.handled.push(req);
        this.onHandle();
        return this.work.get(req);
      },
      isHeartbeat: ({ type }) => type === 'ping',
      isHeld: () => this.isHeld,
      nextTurn: (callback) => void this.#turns.push(callback),
      onEmpty: () => {
        this.emptied += 1;
      },
    });
  }

  push(...reqs: number[]): void {
    for (const req of reqs) this.line.push({ type: 'rooms', req } satisfies Request);
  }

  nextTurn(): void {
    const callbacks = this.#turns;
    this.#turns = [];
    for (const callback of callbacks) callback();
  }

  /** Makes request `req` take until the returned function is called. */
  slow(req: number): () => Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.work.set(req, promise);
    return async () => {
      resolve();
      await new Promise((done) => setImmediate(done));
    };
  }
}

describe('a line of requests', () => {
  test('answers at once when nothing is under way', () => {
    const harness = new LineHarness();
    harness.push(1, 2, 3);
    expect(harness.handled).toEqual([1, 2, 3]);
    expect(harness.line.length).toBe(0);
  });

  test('lets a heartbeat pass what takes time, but no more of them than fit into a turn, nor where answers are not read', async () => {
    const harness = new LineHarness();
    const ping = (req: number): void => harness.line.push({ type: 'ping', req });
    const finish = harness.slow(1);
    harness.push(1, 2);
    ping(3);
    expect(harness.handled).toEqual([1, 3]);
    harness.isHeld = true;
    ping(4);
    harness.isHeld = false;
    for (let req = 5; req < 2_000; req += 1) ping(req);
    expect(harness.handled.length).toBeLessThan(1_100);
    await finish();
    while (harness.line.length > 0) harness.nextTurn();
    expect(harness.handled).toHaveLength(1_999);
  });

  test('is long when a few wait, and where answers are not read when one does', () => {
    const harness = new LineHarness();
    harness.slow(1);
    harness.push(1, ...Array.from({ length: 16 }, (_, i) => i + 2));
    expect(harness.line.isLong).toBe(false);
    harness.isHeld = true;
    expect(harness.line.isLong).toBe(true);
    harness.isHeld = false;
    harness.push(18);
    expect(harness.line.isLong).toBe(true);
  });

  test('makes them wait behind one that takes time, in order', async () => {
    const harness = new LineHarness();
    const [finish1, finish3] = [harness.slow(1), harness.slow(3)];
    harness.push(1, 2, 3, 4);
    expect([harness.handled, harness.line.length]).toEqual([[1], 3]);
    await finish1();
    harness.push(5);
    expect([harness.handled, harness.line.length]).toEqual([[1, 2, 3], 2]);
    await finish3();
    expect([harness.handled, harness.line.length, harness.emptied]).toEqual([[1, 2, 3, 4, 5], 0, 1]);
    harness.push(6);
    expect(harness.handled.at(-1)).toBe(6);
  });

  test('makes them wait while answers have nowhere to go', () => {
    const harness = new LineHarness();
    harness.isHeld = true;
    harness.push(1, 2);
    harness.line.goOn();
    expect([harness.handled, harness.line.length]).toEqual([[], 2]);
    harness.isHeld = false;
    harness.push(3);
    expect(harness.handled).toEqual([]);
    harness.line.goOn();
    expect([harness.handled, harness.emptied]).toEqual([[1, 2, 3], 1]);
  });

  test('can be held again in between', () => {
    const harness = new LineHarness();
    harness.isHeld = true;
    harness.push(1, 2, 3);
    harness.isHeld = false;
    harness.onHandle = () => {
      harness.isHeld = true;
    };
    harness.line.goOn();
    expect([harness.handled, harness.line.length]).toEqual([[1], 2]);
  });

  test('is not gone on with twice at a time', async () => {
    const harness = new LineHarness();
    const finish = harness.slow(1);
    harness.push(1, 2);
    harness.line.goOn();
    harness.line.goOn();
    expect(harness.handled).toEqual([1]);
    await finish();
    expect(harness.handled).toEqual([1, 2]);
  });

  test('leaves the others their share of a turn', () => {
    const harness = new LineHarness();
    harness.push(...Array.from({ length: 3_000 }, (_, i) => i));
    expect(harness.handled).toHaveLength(1_024);
    harness.line.goOn();
    expect(harness.handled).toHaveLength(1_024);
    harness.nextTurn();
    expect(harness.handled).toHaveLength(2_048);
    harness.nextTurn();
    expect(harness.handled).toEqual(Array.from({ length: 3_000 }, (_, i) => i));
    expect(harness.emptied).toBe(1);
  });

  test('forgets what waits when it is closed, and takes nothing more', async () => {
    const harness = new LineHarness();
    const finish = harness.slow(1);
    harness.push(1, 2);
    harness.line.close();
    harness.push(3);
    await finish();
    harness.line.goOn();
    expect([harness.handled, harness.line.length, harness.emptied]).toEqual([[1], 0, 0]);
  });

  test('can be closed by what it does', () => {
    const harness = new LineHarness();
    harness.isHeld = true;
    harness.push(1, 2);
    harness.isHeld = false;
    harness.onHandle = () => harness.line.close();
    harness.line.goOn();
    expect([harness.handled, harness.line.length, harness.emptied]).toEqual([[1], 0, 0]);
  });

  test('goes through a hundred thousand that each take time', async () => {
    const harness = new LineHarness();
    for (let req = 0; req < 100_000; req += 1) harness.work.set(req, Promise.resolve());
    harness.push(...Array.from({ length: 100_000 }, (_, i) => i));
    while (harness.line.length > 0) {
      await new Promise((done) => setImmediate(done));
      harness.nextTurn();
    }
    await new Promise((done) => setImmediate(done));
    expect(harness.handled).toHaveLength(100_000);
    expect(harness.handled.every((req, i) => req === i)).toBe(true);
  });
});
