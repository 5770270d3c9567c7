import { expect, test } from 'vitest';
import { createTurnClock } from '../../lib/server/turn-clock.ts';
import { ManualClock } from '../helpers/manual-clock.ts';

function turns() {
  const base = new ManualClock();
  let ends: (() => void)[] = [];
  const clock = createTurnClock(base, (callback) => ends.push(callback));
  const endTurn = (): void => {
    const callbacks = ends;
    ends = [];
    for (const callback of callbacks) callback();
  };
  return { base, clock, endTurn };
}

test('stands still within a turn and is right in the next', () => {
  const { base, clock, endTurn } = turns();
  const [nowMs, monotonicMs] = [clock.nowMs(), clock.monotonicMs()];
  base.advance(1_000);
  expect([clock.nowMs(), clock.monotonicMs()]).toEqual([nowMs, monotonicMs]);
  endTurn();
  expect([clock.nowMs(), clock.monotonicMs()]).toEqual([nowMs + 1_000, monotonicMs + 1_000]);
});

test('is right at the beginning of a timer', () => {
  const { base, clock } = turns();
  const start = clock.monotonicMs();
  const seen: number[] = [];
  clock.after(500, () => seen.push(clock.monotonicMs()));
  base.advance(500);
  expect(seen).toEqual([start + 500]);
});
