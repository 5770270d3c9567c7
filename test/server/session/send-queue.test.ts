import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_RECORD_PLAINTEXT_BYTES } from '../../../lib/limits.ts';
import { decodeEvent } from '../../../lib/protocol/codec.ts';
import type { Event, Events } from '../../../lib/protocol/messages.ts';
import type { RoomName } from '../../../lib/protocol/names.ts';
import { FlushList, SendQueue } from '../../../lib/server/session/send-queue.ts';
import type { Channel } from '../../../lib/wire/channel.ts';
import type { Transport } from '../../../lib/wire/transport/transport.ts';

const DEN = 'den' as RoomName;
const YARD = 'yard' as RoomName;
const MOST_SEALED_BYTES = 4 * MAX_RECORD_PLAINTEXT_BYTES;

/** A queue over a transport that takes what a test lets it take. */
class QueueHarness {
  readonly sealed: Buffer[] = [];
  /** Calls of `sealMessages`: each is one record and one write, if it is small. */
  seals = 0;
  flushes = 0;
  bufferedBytes = 0;
  /** How much the other end takes at once; the rest stays in the transport. */
  takesBytes = 0;
  isOpen = true;
  readonly queue: SendQueue;
  #atEnd: (() => void)[] = [];

  constructor(
    limits: { sendQueueBytes: number; sendQueueMessages: number } = {
      sendQueueBytes: 1_000_000,
      sendQueueMessages: 1_000,
    },
  ) {
    const harness = this;
    const transport = {
      get bufferedBytes() {
        return harness.bufferedBytes;
      },
    } as Transport;
    const channel = {
      get isOpen() {
        return harness.isOpen;
      },
      sealMessages: (parts: readonly Uint8Array[]) => harness.#seal(parts),
    } as unknown as Channel;
    const flushList = new FlushList((callback) => void this.#atEnd.push(callback));
    this.queue = new SendQueue(channel, transport, limits, flushList, () => {
      this.flushes += 1;
    });
  }

  get sealedBytes(): number {
    return this.sealed.reduce((sum, { length }) => sum + length, 0);
  }

  endTurn(): void {
    const callbacks = this.#atEnd;
    this.#atEnd = [];
    for (const callback of callbacks) callback();
  }

  /** The other end takes everything, and the transport says so if it would have. */
  drain(): void {
    const tells = this.bufferedBytes >= 65_536;
    this.bufferedBytes = 0;
    if (tells) this.queue.flush();
  }

  events(): Event[] {
    const all = Buffer.concat(this.sealed);
    const events: Event[] = [];
    for (let start = 0; start < all.length; ) {
      const end = start + 4 + all.readUInt32BE(start);
      events.push(decodeEvent(all.subarray(start + 4, end)));
      start = end;
    }
    return events;
  }

  #seal(parts: readonly Uint8Array[]): void {
    this.seals += 1;
    const bytes = Buffer.concat(parts);
    this.sealed.push(bytes);
    this.bufferedBytes = Math.max(0, this.bufferedBytes + bytes.length - this.takesBytes);
  }
}

/** A message of exactly that many bytes, prefix included; no real event, as these tests look at bytes only. */
function message(bytes: number, n = 0): Uint8Array {
  const framed = Buffer.alloc(bytes, n + 1);
  framed.writeUInt32BE(bytes - 4);
  return framed;
}

const kilobyte = message(1_024);

describe('a send queue', () => {
  test('sends all of a turn at once, at its end', () => {
    const harness = new QueueHarness();
    for (let i = 0; i < 50; i += 1) harness.queue.send(message(20, i), 1);
    expect(harness.seals).toBe(0);
    harness.endTurn();
    expect(harness.seals).toBe(1);
    expect(harness.queue.isEmpty).toBe(true);
    harness.endTurn();
    expect(harness.seals).toBe(1);
  });

  test('holds back what the transport does not take, and goes on when it has drained', () => {
    const harness = new QueueHarness({ sendQueueBytes: 1e9, sendQueueMessages: 1e9 });
    for (let i = 0; i < 1_000; i += 1) harness.queue.send(kilobyte, 1);
    harness.endTurn();
    expect(harness.sealedBytes).toBe(MOST_SEALED_BYTES);
    for (let left = 1_000 * 1_024 - MOST_SEALED_BYTES; left > 0; left -= MOST_SEALED_BYTES) harness.drain();
    expect(harness.sealedBytes).toBe(1_000 * 1_024);
  });

  test('cuts a part that is larger than the transport should hold', () => {
    const harness = new QueueHarness({ sendQueueBytes: 1e9, sendQueueMessages: 1e9 });
    const large = Buffer.alloc(20_000_000, 7);
    harness.queue.sendRoom(DEN, large, 5_000);
    harness.endTurn();
    expect(harness.bufferedBytes).toBe(MOST_SEALED_BYTES);
    while (!harness.queue.isEmpty) harness.drain();
    expect(Buffer.concat(harness.sealed).equals(large)).toBe(true);
  });

  test('changes neither bytes nor order, however it is drained', () => {
    const sizes = fc.array(fc.oneof(fc.integer({ min: 4, max: 2_000 }), fc.integer({ min: 4, max: 600_000 })), {
      minLength: 1,
      maxLength: 20,
    });
    fc.assert(
      fc.property(
        sizes,
        fc.array(fc.boolean(), { maxLength: 20 }),
        fc.nat({ max: 300_000 }),
        (parts, drains, takesBytes) => {
          const harness = new QueueHarness({ sendQueueBytes: 1e9, sendQueueMessages: 1e9 });
          harness.takesBytes = takesBytes;
          const sent = parts.map((size, i) => Buffer.alloc(size, i + 1));
          sent.forEach((part, i) => {
            harness.queue.send(part, 1);
            if (drains[i] === true) harness.endTurn();
            if (drains[i] === false) harness.drain();
          });
          harness.endTurn();
          for (let i = 0; !harness.queue.isEmpty && i < 1_000; i += 1) harness.drain();
          expect(Buffer.concat(harness.sealed).equals(Buffer.concat(sent))).toBe(true);
        },
      ),
    );
  });

  test('seals nothing on a channel that is closed', () => {
    const harness = new QueueHarness();
    harness.queue.send(kilobyte, 1);
    harness.isOpen = false;
    harness.endTurn();
    expect(harness.seals).toBe(0);
  });

  test('says when it has been flushed, so that who waits for room can look', () => {
    const harness = new QueueHarness();
    harness.queue.send(kilobyte, 1);
    harness.endTurn();
    expect(harness.flushes).toBe(1);
  });
});

describe('past its bounds a send queue', () => {
  /** A transport that takes nothing any more. */
  function stuck(limits: { sendQueueBytes: number; sendQueueMessages: number }) {
    const harness = new QueueHarness(limits);
    harness.bufferedBytes = MOST_SEALED_BYTES;
    return harness;
  }

  test('leaves room messages out and says so, once, when there is room again', () => {
    const harness = stuck({ sendQueueBytes: 500_000, sendQueueMessages: 1_000_000 });
    for (let i = 0; i < 1_000; i += 1) {
      harness.queue.sendRoom(i % 2 === 0 ? DEN : YARD, kilobyte, 1);
      harness.endTurn();
    }
    expect(harness.queue.pendingBytes).toBeLessThan(500_000 + 2 * 1_024);
    expect(harness.queue.isOverfull).toBe(true);
    harness.queue.flush();
    expect(harness.sealedBytes).toBe(0);
    const queuedBytes = harness.queue.pendingBytes - harness.bufferedBytes;
    harness.drain();
    const lagged = Buffer.concat(harness.sealed).subarray(queuedBytes);
    const tail = new QueueHarness();
    tail.sealed.push(lagged);
    const left = tail.events() as Events['lagged'][];
    expect(left.map(({ type, room }) => `${type} ${room}`).sort()).toEqual(['lagged den', 'lagged yard']);
    expect(left.reduce((sum, { dropped }) => sum + dropped, 0)).toBe(1_000 - queuedBytes / 1_024);
    harness.queue.sendRoom(DEN, kilobyte, 1);
    harness.endTurn();
    expect(harness.queue.isEmpty).toBe(true);
  });

  test('goes by messages too', () => {
    const harness = stuck({ sendQueueBytes: 10_000_000, sendQueueMessages: 100 });
    for (let i = 0; i < 500; i += 1) {
      harness.queue.sendRoom(DEN, message(20), 1);
      harness.endTurn();
    }
    const queuedBytes = harness.queue.pendingBytes - harness.bufferedBytes;
    expect(queuedBytes).toBe(101 * 20);
    harness.drain();
    const tail = new QueueHarness();
    tail.sealed.push(Buffer.concat(harness.sealed).subarray(queuedBytes));
    expect(tail.events()).toEqual([{ type: 'lagged', room: 'den', dropped: 399 }]);
  });

  test('tells nothing more of it after its last message', () => {
    const harness = new QueueHarness({ sendQueueBytes: 65_536, sendQueueMessages: 16 });
    harness.bufferedBytes = MOST_SEALED_BYTES;
    for (let i = 0; i < 400; i += 1) harness.queue.sendRoom(DEN, kilobyte, 1);
    harness.queue.sendLast(message(20));
    harness.drain();
    expect(harness.queue.isEmpty).toBe(true);
    expect(harness.sealedBytes % kilobyte.length).toBe(20);
  });

  test('leaves nothing out while the transport takes it, however much a turn brings', () => {
    const harness = new QueueHarness({ sendQueueBytes: 65_536, sendQueueMessages: 16 });
    harness.takesBytes = 1e9;
    for (let i = 0; i < 40; i += 1) harness.queue.sendRoom(DEN, message(20), 1);
    harness.endTurn();
    expect(harness.sealedBytes).toBe(40 * 20);
  });

  test('says so even where the transport holds too little to tell that it has drained', () => {
    const harness = new QueueHarness({ sendQueueBytes: 65_536, sendQueueMessages: 1_000_000 });
    harness.bufferedBytes = MOST_SEALED_BYTES;
    for (let i = 0; i < 60; i += 1) harness.queue.sendRoom(DEN, kilobyte, 1);
    // Most of it is taken meanwhile: too little is left for a drain to be told of.
    harness.bufferedBytes = 1_000;
    harness.endTurn();
    expect(harness.queue.isEmpty).toBe(true);
    expect(Buffer.concat(harness.sealed).includes('den')).toBe(true);
  });

  test('never leaves answers out', () => {
    const harness = stuck({ sendQueueBytes: 100_000, sendQueueMessages: 10 });
    for (let i = 0; i < 200; i += 1) harness.queue.send(message(1_024, i), 1);
    harness.endTurn();
    harness.drain();
    expect(harness.sealedBytes).toBe(200 * 1_024);
  });

  test('takes a single message larger than itself', () => {
    const harness = new QueueHarness({ sendQueueBytes: 65_536, sendQueueMessages: 16 });
    harness.queue.sendRoom(DEN, message(200_000), 1);
    harness.endTurn();
    expect(harness.sealedBytes).toBe(200_000);
  });

  test('does not take a reader that keeps up for one that does not, however long it lasts', () => {
    const harness = new QueueHarness({ sendQueueBytes: 4_000_000, sendQueueMessages: 5_000 });
    harness.queue.send(message(1_000_000), 100);
    harness.endTurn();
    for (let round = 0; round < 2_000; round += 1) {
      // As much comes as the other end takes: the queue is never empty and never grows.
      for (let i = 0; i < 25; i += 1) harness.queue.sendRoom(DEN, message(10_240), 10);
      harness.queue.sendRoom(DEN, message(MOST_SEALED_BYTES - 25 * 10_240), 10);
      harness.endTurn();
      expect(harness.queue.isEmpty).toBe(false);
      harness.drain();
    }
    while (!harness.queue.isEmpty) harness.drain();
    // Nothing is missing and no lagged was put in.
    expect(harness.sealedBytes).toBe(1_000_000 + 2_000 * MOST_SEALED_BYTES);
  });
});

describe('a flush list', () => {
  test('flushes each queue once a turn, and those that were added meanwhile in the next', () => {
    const atEnd: (() => void)[] = [];
    const list = new FlushList((callback) => void atEnd.push(callback));
    const flushed: string[] = [];
    const second = { flush: () => void flushed.push('second') } as SendQueue;
    const first = {
      flush: () => {
        flushed.push('first');
        list.add(second);
      },
    } as SendQueue;
    list.add(first);
    expect(atEnd).toHaveLength(1);
    atEnd.shift()?.();
    expect(flushed).toEqual(['first']);
    atEnd.shift()?.();
    expect(flushed).toEqual(['first', 'second']);
  });
});
