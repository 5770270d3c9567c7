import { describe, expect, test } from 'vitest';
import { BcastError, ERRORS, type ErrorCode, errorCodeOf, toBcastError } from '../../lib/errors.ts';
import { encodeEvent } from '../../lib/protocol/codec.ts';
import { errorEvent } from '../../lib/server/hub/refusal.ts';

const rows = Object.entries(ERRORS) as [ErrorCode, (typeof ERRORS)[ErrorCode]][];
const sent = rows.filter(([, { wire }]) => wire !== null);

describe('the table of errors', () => {
  test('gives each error that travels a number of its own', () => {
    const numbers = sent.map(([, { wire }]) => wire);
    expect(new Set(numbers).size).toBe(numbers.length);
    for (const number of numbers)
      expect(number).toSatisfy((wire: number) => Number.isInteger(wire) && wire >= 1_000 && wire <= 65_535);
  });

  test.each(sent)('finds %s by its number', (code, { wire }) => {
    expect(errorCodeOf(wire as number)).toBe(code);
  });

  test('takes a number it does not know for INTERNAL', () => {
    expect(errorCodeOf(0)).toBe('INTERNAL');
    expect(errorCodeOf(64_999)).toBe('INTERNAL');
  });

  test('has exit codes that a shell can tell apart', () => {
    for (const [code, { exit }] of rows) expect(exit, code).toSatisfy((exit: number) => exit >= 1 && exit <= 125);
  });

  test('says something to people', () => {
    for (const [code, { message }] of rows) expect(message, code).toMatch(/^[A-Z].*\.$/);
  });
});

describe('an error on its way to a client', () => {
  test.each(sent)('%s carries its number and words that fit', (code, { wire, scope }) => {
    const event = errorEvent(new BcastError(code, { text: 'é'.repeat(1_000), retryAfterMs: 7, untilMs: 8 }), 3);
    expect(event).toMatchObject({ req: 3, code: wire, retryAfterMs: 7, untilMs: 8 });
    expect(Buffer.byteLength(event.text)).toBeLessThanOrEqual(512);
    if (scope === 'internal') expect(event.text).toBe(ERRORS.INTERNAL.message);
    expect(() => encodeEvent(event)).not.toThrow();
  });

  test('says nothing of what went wrong on our side', () => {
    const event = errorEvent(toBcastError(new Error('secret path /root/x')), 1);
    expect(event).toMatchObject({ code: ERRORS.INTERNAL.wire, text: ERRORS.INTERNAL.message });
    const local = errorEvent(new BcastError('CONFIG', { text: 'secret path' }), 1);
    expect(local).toMatchObject({ code: ERRORS.INTERNAL.wire, text: ERRORS.INTERNAL.message });
  });
});
