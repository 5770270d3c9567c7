import { expect, test } from 'vitest';
import { createEndingSwitch, watchSilence } from '../../../lib/client/pipe/ending.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';

test('the first ending counts', async () => {
  const ending = createEndingSwitch();
  expect(ending.current).toBeUndefined();
  ending.end({ why: 'timeout' });
  ending.end({ why: 'count' });
  expect(ending.current).toEqual({ why: 'timeout' });
  expect(await ending.first).toEqual({ why: 'timeout' });
});

test('silence is counted from the last touch, and watched with one timer', () => {
  const clock = new ManualClock();
  let calls = 0;
  const silence = watchSilence(clock, 100, () => {
    calls += 1;
  });
  for (let i = 0; i < 10; i += 1) {
    clock.advance(50);
    silence.touch();
    expect(clock.pendingTimers).toBe(1);
  }
  clock.advance(99);
  expect(calls).toBe(0);
  clock.advance(1);
  expect(calls).toBe(1);
  expect(clock.pendingTimers).toBe(0);
});

test('silence that is cancelled is not told', () => {
  const clock = new ManualClock();
  const silence = watchSilence(clock, 100, () => expect.unreachable());
  clock.advance(60);
  silence.touch();
  clock.advance(60);
  silence.cancel();
  clock.advance(1_000);
});
