import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createMemoryPair } from '../../../lib/wire/transport/memory.ts';
import { concat, utf8 } from '../fixtures.ts';
import { conformsToTransport, Listener } from './conformance.ts';

describe('in memory', () => {
  conformsToTransport(() => Promise.resolve(createMemoryPair()));
});

describe('in memory, byte by byte where it matters', () => {
  conformsToTransport(() => Promise.resolve(createMemoryPair({ maxChunkBytes: 4_093 })));
});

/** A schedule that runs when it is told to. */
function manualSchedule(): { readonly schedule: (callback: () => void) => void; readonly runOne: () => boolean } {
  const queue: (() => void)[] = [];
  return {
    schedule: (callback) => queue.push(callback),
    runOne() {
      const next = queue.shift();
      next?.();
      return next !== undefined;
    },
  };
}

test('cuts chunks as told', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 50 })),
      fc.integer({ min: 1, max: 20 }),
      (writes, maxChunkBytes) => {
        const { schedule, runOne } = manualSchedule();
        const { a, b } = createMemoryPair({ schedule, maxChunkBytes });
        const atB = new Listener();
        b.start(atB);
        for (const bytes of writes) a.write(new Uint8Array(bytes));
        while (runOne());
        expect(atB.bytes).toEqual(concat(...writes));
        expect(atB.chunks.every((chunk) => chunk.length <= maxChunkBytes)).toBe(true);
      },
    ),
  );
});

test('does nothing until its schedule runs', () => {
  const { schedule, runOne } = manualSchedule();
  const { a, b } = createMemoryPair({ schedule });
  const atA = new Listener();
  const atB = new Listener();
  a.start(atA);
  b.start(atB);
  a.write(utf8('x'));
  expect([atB.chunks.length, a.bufferedBytes]).toEqual([0, 1]);
  while (runOne());
  expect([atB.chunks.length, a.bufferedBytes]).toEqual([1, 0]);
});

test('loses what is under way when it is cut', () => {
  const { schedule, runOne } = manualSchedule();
  const { a, b, cut } = createMemoryPair({ schedule });
  const atB = new Listener();
  a.start(new Listener());
  b.start(atB);
  a.write(utf8('under way'));
  cut();
  while (runOne());
  expect([atB.chunks.length, atB.closes, a.bufferedBytes]).toEqual([0, 1, 0]);
});
