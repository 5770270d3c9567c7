import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ERRORS } from '../../lib/errors.ts';
import { tableRows } from './tables.ts';

test('docs/ERRORS.md has every error as the table of errors has it', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/ERRORS.md'), 'utf8');
  const yes = (is: boolean) => (is ? 'yes' : 'no');
  const expected = Object.entries(ERRORS).map(([code, { wire, close, retry, exit, message }]) => [
    `\`${code}\``,
    String(wire ?? '-'),
    yes(close),
    yes(retry),
    String(exit),
    message,
  ]);
  expect(tableRows(page, 'code', 'number')).toEqual(expected);
});
