import { describe, expect, test } from 'vitest';
import { DEFAULT_RECONNECT, firstRetryMs, mayComeBack, reconnectDelayMs } from '../../lib/client/reconnect.ts';
import { BcastError, ERRORS, type ErrorCode } from '../../lib/errors.ts';

describe('the delay before an attempt', () => {
  test('doubles from half a second to half a minute', () => {
    const delays = [1, 2, 3, 4, 5, 6, 7, 8, 100, 5_000].map((n) => reconnectDelayMs(DEFAULT_RECONNECT, n, () => 0.5));
    expect(delays).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000, 30_000]);
  });

  test('is spread by a quarter either way', () => {
    expect(reconnectDelayMs(DEFAULT_RECONNECT, 2, () => 0)).toBe(750);
    expect(reconnectDelayMs(DEFAULT_RECONNECT, 2, () => 1)).toBe(1_250);
  });

  test('is never less than what the server asked for, and spread above it', () => {
    expect(reconnectDelayMs(DEFAULT_RECONNECT, 1, () => 0, 60_000)).toBe(60_000);
    expect(reconnectDelayMs(DEFAULT_RECONNECT, 1, () => 1, 60_000)).toBe(75_000);
    expect(reconnectDelayMs(DEFAULT_RECONNECT, 7, () => 0.5, 100)).toBe(30_000);
  });
});

describe('a first attempt that was refused', () => {
  test('is repeated only when the server says when, and that is soon enough', () => {
    const busy = (retryAfterMs: number) => new BcastError('SERVER_FULL', { retryAfterMs });
    expect(firstRetryMs(busy(5_000), 0)).toBe(5_000);
    expect(firstRetryMs(busy(5_000), 25_000)).toBe(5_000);
    expect(firstRetryMs(busy(5_000), 25_001)).toBeNull();
    expect(firstRetryMs(busy(60_000), 0)).toBeNull();
    expect(firstRetryMs(new BcastError('SERVER_FULL'), 0)).toBeNull();
    expect(firstRetryMs(new BcastError('CONNECT_FAILED'), 0)).toBeNull();
    expect(firstRetryMs(new BcastError('BANNED', { retryAfterMs: 10 }), 0)).toBeNull();
  });
});

describe('after a cut', () => {
  const others = (Object.keys(ERRORS) as ErrorCode[]).filter((code) => code !== 'TOO_MANY_SESSIONS');

  test.each(others)('%s is retried if its row says so', (code) => {
    expect(mayComeBack(new BcastError(code), 0, 90_000)).toBe(ERRORS[code].retry);
  });

  test('too many sessions is retried until the server must have missed the one that was cut', () => {
    const error = new BcastError('TOO_MANY_SESSIONS');
    expect(mayComeBack(error, 100_000, 90_000)).toBe(true);
    expect(mayComeBack(error, 120_001, 90_000)).toBe(false);
  });
});
