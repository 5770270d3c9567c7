import { describe, expect, test } from 'vitest';
import type { Ask, Settle } from '../../lib/client/connection.ts';
import { Marks } from '../../lib/client/marks.ts';
import { BcastError } from '../../lib/errors.ts';
import { requireRoomName } from '../../lib/protocol/names.ts';
import { ManualClock } from '../helpers/manual-clock.ts';

const LOBBY = requireRoomName('lobby');
const ATTIC = requireRoomName('attic');

function marksWith({ members = 3, random = 0 } = {}) {
  const clock = new ManualClock();
  const told: string[] = [];
  const settles: Settle[] = [];
  const marks = new Marks({
    clock,
    random: () => random,
    send: (ask: Ask, settle) => {
      if (ask.type === 'mark') told.push(`${ask.room} ${ask.delivered} ${ask.read}`);
      settles.push(settle);
    },
  });
  marks.enter(LOBBY, members);
  return { marks, clock, told, settles };
}

describe('marks', () => {
  test('tell the newest of all that came in a second, and nothing when nothing changes', () => {
    const { marks, clock, told } = marksWith();
    for (let seq = 1; seq <= 500; seq += 1) marks.deliver(LOBBY, seq);
    clock.advance(999);
    expect(told).toEqual([]);
    clock.advance(1);
    expect(told).toEqual(['lobby 500 0']);
    marks.deliver(LOBBY, 500);
    marks.deliver(LOBBY, 3);
    clock.advance(60_000);
    expect(told).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
  });

  test('come at most once a second for each room', () => {
    const { marks, clock, told } = marksWith();
    marks.enter(ATTIC, 2);
    for (let ms = 0; ms < 10_000; ms += 100) {
      marks.deliver(LOBBY, ms + 1);
      marks.deliver(ATTIC, ms + 1);
      clock.advance(100);
    }
    expect(told.filter((mark) => mark.startsWith('lobby'))).toHaveLength(10);
    expect(told.filter((mark) => mark.startsWith('attic'))).toHaveLength(10);
  });

  test('of a room of a thousand come every ten seconds, and not all at once', () => {
    const [first, last] = [marksWith({ members: 1_000 }), marksWith({ members: 1_000, random: 1 })];
    for (const { marks } of [first, last]) marks.deliver(LOBBY, 1);
    first.clock.advance(9_999);
    expect(first.told).toEqual([]);
    first.clock.advance(1);
    expect(first.told).toEqual(['lobby 1 0']);
    last.clock.advance(14_999);
    expect(last.told).toEqual([]);
    last.clock.advance(1);
    expect(last.told).toEqual(['lobby 1 0']);
  });

  test('say what was read, but never more than what has come', () => {
    const { marks, clock, told } = marksWith();
    marks.deliver(LOBBY, 7);
    marks.read(LOBBY, 5);
    marks.read(LOBBY, 99);
    marks.read(LOBBY, 2);
    clock.advance(1_000);
    expect(told).toEqual(['lobby 7 7']);
  });

  test('of a room that was not entered, or was left, are told to nobody', () => {
    const { marks, clock, told } = marksWith();
    marks.deliver(ATTIC, 7);
    marks.read(ATTIC, 7);
    marks.deliver(LOBBY, 7);
    marks.leave(LOBBY);
    marks.deliver(LOBBY, 8);
    clock.advance(60_000);
    expect(told).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  test('wait for the next connection, which is told them once', () => {
    const { marks, clock, told, settles } = marksWith();
    marks.deliver(LOBBY, 7);
    clock.advance(1_000);
    marks.deliver(LOBBY, 8);
    marks.offline();
    settles[0]?.(new BcastError('CONNECTION_LOST'));
    clock.advance(60_000);
    expect(told).toEqual(['lobby 7 0']);
    marks.enter(LOBBY, 3);
    clock.advance(60_000);
    expect(told).toEqual(['lobby 7 0', 'lobby 8 0']);
  });

  test('that come too fast are told later, with what has come meanwhile; others are not repeated', () => {
    const { marks, clock, told, settles } = marksWith();
    marks.deliver(LOBBY, 7);
    clock.advance(1_000);
    settles[0]?.(new BcastError('SLOW_DOWN'));
    marks.deliver(LOBBY, 8);
    clock.advance(1_000);
    expect(told).toEqual(['lobby 7 0', 'lobby 8 0']);
    settles[1]?.(new BcastError('NOT_A_MEMBER'));
    clock.advance(60_000);
    expect(told).toHaveLength(2);
    marks.leave(LOBBY);
    settles[1]?.(new BcastError('SLOW_DOWN'));
    expect(clock.pendingTimers).toBe(0);
  });

  test('that come too fast are told later also when nothing more comes', () => {
    const { marks, clock, told, settles } = marksWith();
    marks.deliver(LOBBY, 7);
    clock.advance(1_000);
    settles[0]?.(new BcastError('UNAVAILABLE'));
    clock.advance(1_000);
    expect(told).toEqual(['lobby 7 0', 'lobby 7 0']);
  });

  test('begin again with a room that has started over', () => {
    const { marks, clock, told } = marksWith();
    marks.deliver(LOBBY, 70);
    marks.read(LOBBY, 70);
    marks.restart(LOBBY);
    marks.deliver(LOBBY, 1);
    clock.advance(60_000);
    expect(told).toEqual(['lobby 1 0']);
  });

  test('are told at once before the end', () => {
    const { marks, clock, told } = marksWith();
    marks.deliver(LOBBY, 7);
    marks.flush();
    marks.flush();
    clock.advance(60_000);
    expect(told).toEqual(['lobby 7 0']);
  });
});
