import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { systemClock } from '../lib/clock.ts';

const DAY_MS = 86_400_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('a timer of more days than the runtime counts waits for all of them', () => {
  const calls: string[] = [];
  systemClock.after(60 * DAY_MS, () => calls.push('at last'));
  vi.advanceTimersByTime(60 * DAY_MS - 1);
  expect(calls).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(calls).toEqual(['at last']);
});

test('and can be cancelled in any of its parts', () => {
  const calls: string[] = [];
  const timer = systemClock.after(60 * DAY_MS, () => calls.push('too late'));
  vi.advanceTimersByTime(40 * DAY_MS);
  timer.cancel();
  vi.advanceTimersByTime(60 * DAY_MS);
  expect(calls).toEqual([]);
});
