import { expect, test } from 'vitest';
import {
  type Column,
  formatBytes,
  formatCount,
  formatMany,
  formatMoment,
  renderFacts,
  renderTable,
} from '../../lib/cli/table.ts';

interface Row {
  readonly name: string;
  readonly n: number;
  readonly text: string;
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'NAME', text: ({ name }) => name },
  { title: 'N', text: ({ n }) => String(n), isNumber: true },
  { title: 'TEXT', text: ({ text }) => text },
];

test('columns line up, whatever script their texts are in', () => {
  const rows = [
    { name: 'alice', n: 7, text: 'hello' },
    { name: '日本', n: 1_234, text: '' },
  ];
  expect(renderTable(COLUMNS, rows)).toEqual(['NAME      N  TEXT', 'alice     7  hello', '日本   1234  -']);
});

test('a table without rows is its titles', () => {
  expect(renderTable(COLUMNS, [])).toEqual(['NAME  N  TEXT']);
});

test('what others wrote is made safe to print before it is measured', () => {
  const [, row] = renderTable(COLUMNS, [{ name: 'a\u001b[31m', n: 1, text: 'x\ny' }]);
  expect(row).toBe('a\\x1b[31m  1  x\\ny');
  expect(renderFacts([['topic', 'a\u202eb']])).toEqual(['topic  a\\u202eb']);
});

test.each([
  [0, '0 B'],
  [1_023, '1023 B'],
  [1_024, '1.0 KiB'],
  [1_536, '1.5 KiB'],
  [20 * 1_048_576, '20 MiB'],
  [3 * 1_073_741_824, '3.0 GiB'],
  [5_000 * 1_073_741_824, '5000 GiB'],
])('%d bytes are %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test('counts and moments are for people', () => {
  expect(formatCount(1_234_567)).toBe('1,234,567');
  expect([0, 1, 2].map((count) => formatMany(count, 'user'))).toEqual(['0 users', '1 user', '2 users']);
  expect(formatMoment(Date.UTC(2026, 10, 28, 12, 5))).toBe('2026-11-28 12:05 UTC');
  expect(formatMoment(Number.MAX_SAFE_INTEGER)).toMatch(/UTC$/);
});
