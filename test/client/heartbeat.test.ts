import { describe, expect, test } from 'vitest';
import type { Settle } from '../../lib/client/connection.ts';
import { startHeartbeat } from '../../lib/client/heartbeat.ts';
import { Patience } from '../../lib/client/patience.ts';
import { BcastError } from '../../lib/errors.ts';
import { ManualClock } from '../helpers/manual-clock.ts';

const OK = { ok: { type: 'ok', req: 1, seq: null, ts: null }, rows: [] } as const;

/** A connection of which only what a heartbeat sees is there. */
function pulse(idleTimeoutMs = 90_000, pingIntervalMs = 20_000) {
  const clock = new ManualClock();
  const pings: Settle[] = [];
  const latencies: number[] = [];
  const connection = {
    heardMs: clock.monotonicMs(),
    isPaused: false,
    failure: undefined as BcastError | undefined,
    send: (_: unknown, settle: Settle) => void pings.push(settle),
    fail: (error: BcastError) => {
      connection.failure = error;
    },
  };
  const onLatency = (roundTripMs: number) => latencies.push(roundTripMs);
  const stop = startHeartbeat(connection, { clock, idleTimeoutMs, pingIntervalMs, onLatency });
  return {
    clock,
    pings,
    latencies,
    connection,
    stop,
    hear: () => {
      connection.heardMs = clock.monotonicMs();
    },
    answer: () => {
      connection.heardMs = clock.monotonicMs();
      pings.shift()?.(OK);
    },
  };
}

describe('a heartbeat', () => {
  test('measures the round trip at once and then again and again', () => {
    const { clock, latencies, answer } = pulse();
    clock.advance(30);
    answer();
    clock.advance(20_000);
    clock.advance(45);
    answer();
    expect(latencies).toEqual([30, 75]);
  });

  test('is heard three times in the time the server gives', () => {
    const { clock, pings, answer } = pulse(9_000);
    answer();
    clock.advance(3_000);
    expect(pings).toHaveLength(1);
  });

  test('goes as often as the server asks, but not without bound', () => {
    const often = pulse(90_000, 5_000);
    often.answer();
    often.clock.advance(5_000);
    expect(often.pings).toHaveLength(1);
    const seldom = pulse(90_000, 60_000);
    seldom.answer();
    seldom.clock.advance(29_999);
    expect(seldom.pings).toHaveLength(0);
    const hostile = pulse(90_000, 0);
    hostile.answer();
    hostile.clock.advance(999);
    expect(hostile.pings).toHaveLength(0);
  });

  test('followed by silence fails the connection', () => {
    const { clock, connection } = pulse(90_000);
    clock.advance(14_999);
    expect(connection.failure).toBeUndefined();
    clock.advance(1);
    expect(connection.failure).toMatchObject({ code: 'CONNECTION_LOST' });
  });

  test('does not fail a connection on which something else is heard before the answer', () => {
    const { clock, connection, hear, answer } = pulse(90_000);
    for (let i = 0; i < 10; i += 1) {
      clock.advance(10_000);
      hear();
    }
    expect(connection.failure).toBeUndefined();
    answer();
    expect(connection.failure).toBeUndefined();
  });

  test('does not suspect a connection that we do not read, but lets the server hear us', () => {
    const { clock, connection, pings, hear } = pulse(90_000);
    connection.isPaused = true;
    clock.advance(600_000);
    expect(connection.failure).toBeUndefined();
    expect(pings.length).toBeGreaterThanOrEqual(30);
    connection.isPaused = false;
    hear();
    clock.advance(14_000);
    expect(connection.failure).toBeUndefined();
    clock.advance(16_000);
    expect(connection.failure).toMatchObject({ code: 'CONNECTION_LOST' });
  });

  test('stops for good', () => {
    const { clock, pings, connection, stop } = pulse();
    stop();
    clock.advance(600_000);
    expect(pings).toHaveLength(1);
    expect(connection.failure).toBeUndefined();
    expect(clock.pendingTimers).toBe(0);
  });

  test('leaves nothing behind when the connection goes while an answer is awaited', () => {
    const { clock, pings, stop } = pulse();
    pings.shift()?.(new BcastError('CONNECTION_LOST'));
    stop();
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('patience', () => {
  function patient() {
    const clock = new ManualClock();
    const sent: Settle[] = [];
    const slow: (string | number)[] = [];
    const answers: unknown[] = [];
    const patience = new Patience({ send: (_, settle) => void sent.push(settle) }, clock, (why, ms) =>
      slow.push(why, ms),
    );
    const ask = () => patience.send({ type: 'rooms' }, (answer) => answers.push(answer));
    const insist = () => patience.insist({ type: 'rooms' }, (answer) => answers.push(answer));
    return { clock, sent, slow, answers, patience, ask, insist };
  }

  test('asks again when it may, until there is an answer', () => {
    const { clock, sent, slow, answers, ask } = patient();
    ask();
    sent.shift()?.(new BcastError('SLOW_DOWN', { retryAfterMs: 70 }));
    clock.advance(69);
    expect(sent).toHaveLength(0);
    clock.advance(1);
    sent.shift()?.(new BcastError('SLOW_DOWN'));
    clock.advance(1_000);
    sent.shift()?.(OK);
    expect(slow).toEqual(['SLOW_DOWN', 70, 'SLOW_DOWN', 1_000]);
    expect(answers).toEqual([OK]);
  });

  test('passes other refusals on', () => {
    const { sent, answers, ask } = patient();
    ask();
    sent.shift()?.(new BcastError('NO_SUCH_ROOM'));
    ask();
    sent.shift()?.(new BcastError('UNAVAILABLE', { retryAfterMs: 70 }));
    expect(answers).toMatchObject([{ code: 'NO_SUCH_ROOM' }, { code: 'UNAVAILABLE' }]);
  });

  test('that is insisted on waits for the storage too', () => {
    const { clock, sent, slow, answers, insist } = patient();
    insist();
    sent.shift()?.(new BcastError('UNAVAILABLE', { retryAfterMs: 70 }));
    clock.advance(70);
    sent.shift()?.(new BcastError('SLOW_DOWN', { retryAfterMs: 5 }));
    clock.advance(5);
    sent.shift()?.(OK);
    expect(slow).toEqual(['UNAVAILABLE', 70, 'SLOW_DOWN', 5]);
    expect(answers).toEqual([OK]);
  });

  test('ends with the connection', () => {
    const { clock, sent, answers, ask, patience } = patient();
    ask();
    sent.shift()?.(new BcastError('SLOW_DOWN', { retryAfterMs: 70 }));
    patience.end(new BcastError('CONNECTION_LOST'));
    expect(answers).toMatchObject([{ code: 'CONNECTION_LOST' }]);
    clock.advance(1_000);
    expect(sent).toHaveLength(0);
    expect(clock.pendingTimers).toBe(0);
  });
});
