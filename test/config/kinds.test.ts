import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bytes,
  choice,
  duration,
  fingerprint,
  flag,
  integer,
  list,
  network,
  type OptionKind,
  text,
} from '../../lib/config/kinds.ts';
import { CLIENT_OPTIONS, SERVER_OPTIONS } from '../../lib/config/options.ts';

const cases: [string, OptionKind<unknown>, [string, unknown][]][] = [
  [
    'a text',
    text('X'),
    [
      ['a b', 'a b'],
      ['', null],
    ],
  ],
  [
    'a whole number',
    integer(1, 10),
    [
      ['1', 1],
      ['10', 10],
      ['0', null],
      ['11', null],
      ['-1', null],
      ['1.5', null],
      ['1e1', null],
      [' 1', null],
      ['', null],
    ],
  ],
  [
    'a size',
    bytes(1, 4_194_304),
    [
      ['1', 1],
      ['64k', 65_536],
      ['4M', 4_194_304],
      ['5m', null],
      ['1kb', null],
      ['', null],
    ],
  ],
  [
    'a duration',
    duration(),
    [
      ['500ms', 500],
      ['10s', 10_000],
      ['1h30m', 5_400_000],
      ['90', 90_000],
      ['soon', null],
      ['-1s', null],
      ['', null],
    ],
  ],
  [
    'a fingerprint',
    fingerprint(),
    [
      [`SHA256:${'Aa0+/'.repeat(8)}xyz`, `SHA256:${'Aa0+/'.repeat(8)}xyz`],
      ['SHA256:short', null],
      [`MD5:${'a'.repeat(43)}`, null],
      [`SHA256:${'a'.repeat(43)}=`, null],
    ],
  ],
  [
    'a choice',
    choice('a', 'b'),
    [
      ['a', 'a'],
      ['c', null],
      ['', null],
    ],
  ],
  [
    'a network',
    network(),
    [
      ['10.0.0.0/8', '10.0.0.0/8'],
      ['10.0.0.1', '10.0.0.1'],
      ['2001:db8::/32', '2001:db8::/32'],
      ['::1', '::1'],
      ['0.0.0.0/0', '0.0.0.0/0'],
      ['10.0.0.0/33', null],
      ['::/129', null],
      ['10.0.0.0/', null],
      ['10.0.0.0/08', null],
      ['10.0.0.0/8/8', null],
      ['/8', null],
      ['proxy.example', null],
      ['', null],
    ],
  ],
  [
    'a list',
    list(integer(0, 9)),
    [
      ['1, 2,,3', [1, 2, 3]],
      ['1,10', null],
      ['', []],
    ],
  ],
  [
    'a flag',
    flag(),
    [
      ['1', true],
      ['YES', true],
      ['off', false],
      ['maybe', null],
      ['', null],
    ],
  ],
];

describe.each(cases)('%s', (_, kind, rows) => {
  test.each(rows)('%j is read as %j', (raw, value) => {
    expect(kind.parse(raw)).toEqual(value);
  });
});

test('a duration and a size read back what they write', () => {
  fc.assert(
    fc.property(fc.nat(10_000_000), (value) => {
      expect(duration().parse(duration().format(value))).toBe(value);
      expect(bytes(0, 1e12).parse(bytes(0, 1e12).format(value))).toBe(value);
    }),
  );
});

test.each(Object.values({ ...SERVER_OPTIONS, ...CLIENT_OPTIONS }))(
  'the default of $name obeys its own rule',
  ({ kind, fallback }) => {
    if (fallback === undefined) return;
    const read = kind as OptionKind<unknown>;
    expect(read.parse(read.format(fallback))).toEqual(fallback);
  },
);
