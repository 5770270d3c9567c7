import { expect, test } from 'vitest';
import { explain } from '../../lib/cli/explain.ts';
import { BcastError, ERRORS, type ErrorCode } from '../../lib/errors.ts';

test('an error is one line, or two when there is something to do about it', () => {
  for (const code of Object.keys(ERRORS) as ErrorCode[]) {
    const lines = explain(new BcastError(code)).split('\n');
    expect(lines[0]).toBe(`bcast: ${ERRORS[code].message}`);
    expect(lines.length).toBeLessThanOrEqual(2);
    if (lines.length === 2) expect(lines[1]).toMatch(/^ {7}\S/);
  }
});

test('words that came from a server cannot act on the terminal', () => {
  expect(explain(new BcastError('BANNED', { text: 'out\u001b[2J\nbcast: all is well' }))).toBe(
    'bcast: out\\x1b[2J\\nbcast: all is well',
  );
});

test('what is wrong with the configuration may take several lines', () => {
  expect(explain(new BcastError('CONFIG', { text: 'two keys\ncopy\u001b[2J one' }))).toBe(
    'bcast: two keys\n       copy\\x1b[2J one',
  );
});

test('says when a refusal ends by itself', () => {
  expect(explain(new BcastError('BANNED', { untilMs: 0 }))).toContain('It ends at 1970-01-01T00:00:00.000Z.');
  expect(explain(new BcastError('BANNED', { untilMs: Number.MAX_SAFE_INTEGER }))).toContain('It ends at +275760-09-13');
  expect(explain(new BcastError('SERVER_FULL', { retryAfterMs: 90_000 }))).toContain('Try again in 1m 30s.');
});

test('a fault of our own shows where it comes from', () => {
  expect(explain(new BcastError('INTERNAL', { cause: new TypeError('x is not a function') }))).toMatch(
    /^bcast: This is a fault in bcast\.\nTypeError: x is not a function\n {4}at /,
  );
  expect(explain(new BcastError('INTERNAL'))).toBe(`bcast: ${ERRORS.INTERNAL.message}`);
});
