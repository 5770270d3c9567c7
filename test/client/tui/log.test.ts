import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  append,
  cleared,
  emptyLog,
  entriesOf,
  entryAt,
  findBackwards,
  findForwards,
  type Log,
  logSize,
  MAX_LOG_ENTRIES,
  prepend,
  replaceLast,
} from '../../../lib/client/tui/log.ts';

const logOf = (count: number): Log<number> => {
  let log = emptyLog<number>();
  for (let entry = 0; entry < count; entry += 1) log = append(log, entry);
  return log;
};

/** A change of a log, and the same of an array. */
interface Change {
  readonly toLog: (log: Log<number>) => Log<number>;
  readonly toModel: (model: readonly number[]) => readonly number[];
}

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.integer().map((value) => ({
    toLog: (log: Log<number>) => append(log, value),
    toModel: (all: readonly number[]) => [...all, value],
  })),
  fc.integer().map((value) => ({
    toLog: (log: Log<number>) => replaceLast(log, value),
    toModel: (all: readonly number[]) => [...all.slice(0, -1), value],
  })),
  fc.array(fc.integer(), { maxLength: 40 }).map((values) => ({
    toLog: (log: Log<number>) => prepend(log, values),
    toModel: (all: readonly number[]) => [...values, ...all],
  })),
  fc.constant({ toLog: (log: Log<number>) => cleared(log), toModel: () => [] }),
);

describe('a log', () => {
  test('is a list that grows at both ends and can be replaced at its end', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 120 }), (changes) => {
        let log = emptyLog<number>();
        let model: readonly number[] = [];
        for (const { toLog, toModel } of changes) {
          const before = log;
          const contents = entriesOf(log);
          log = toLog(log);
          model = toModel(model);
          expect(entriesOf(log)).toEqual(model);
          expect(entriesOf(before)).toEqual(contents);
          expect(logSize(log)).toBe(model.length);
          expect(model.map((_, index) => entryAt(log, log.first + index))).toEqual(model);
          expect(entryAt(log, log.end)).toBeUndefined();
          expect(entryAt(log, log.first - 1)).toBeUndefined();
        }
      }),
      { numRuns: 50 },
    );
  });

  test('keeps the serials of what it keeps, and forgets the oldest beyond its limit', () => {
    const log = logOf(MAX_LOG_ENTRIES + 100);
    expect(logSize(log)).toBeLessThanOrEqual(MAX_LOG_ENTRIES);
    expect(logSize(log)).toBeGreaterThan(MAX_LOG_ENTRIES - 64);
    expect(entryAt(log, log.end - 1)).toBe(MAX_LOG_ENTRIES + 99);
    expect(entryAt(log, log.first)).toBe(log.first);
    expect(prepend(log, [1, 2, 3].concat(Array(MAX_LOG_ENTRIES).fill(0))).end).toBe(log.end);
    expect(logSize(prepend(log, Array(MAX_LOG_ENTRIES).fill(0)))).toBe(MAX_LOG_ENTRIES);
  });

  test('is looked through from both sides', () => {
    const log = prepend(logOf(200), [-2, -1]);
    expect(findBackwards(log, Number.MAX_SAFE_INTEGER, (entry) => entry % 50 === 0)).toBe(150);
    expect(findBackwards(log, 0, (entry) => entry < 0)).toBe(-1);
    expect(findBackwards(log, 0, (entry) => entry > 0)).toBeNull();
    expect(findForwards(log, 150, (entry) => entry % 50 === 0)).toBeNull();
    expect(findForwards(log, -5, () => true)).toBe(-2);
  });
});
