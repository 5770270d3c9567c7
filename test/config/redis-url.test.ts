import { expect, test } from 'vitest';
import { describeRedis, parseRedisUrl } from '../../lib/config/redis-url.ts';

const plain = { isTls: false, username: undefined, password: undefined };

test.each([
  ['redis://localhost', { ...plain, kind: 'single', hosts: [{ host: 'localhost', port: 6_379 }], db: 0 }],
  ['redis://10.0.0.1:7000/3', { ...plain, kind: 'single', hosts: [{ host: '10.0.0.1', port: 7_000 }], db: 3 }],
  ['rediss://[::1]:7000', { ...plain, kind: 'single', isTls: true, hosts: [{ host: '::1', port: 7_000 }], db: 0 }],
  [
    'redis+cluster://one,two:7001',
    {
      ...plain,
      kind: 'cluster',
      hosts: [
        { host: 'one', port: 6_379 },
        { host: 'two', port: 7_001 },
      ],
    },
  ],
  [
    'rediss+sentinel://one,two:7001/main',
    {
      ...plain,
      kind: 'sentinel',
      isTls: true,
      hosts: [
        { host: 'one', port: 26_379 },
        { host: 'two', port: 7_001 },
      ],
      master: 'main',
      db: 0,
    },
  ],
])('%s is understood', (url, address) => {
  expect(parseRedisUrl(url)).toEqual(address);
});

test.each([
  'localhost',
  'http://localhost',
  'redis://',
  'redis://one,two',
  'redis://one/x',
  'redis://one/99999',
  'redis://one:0',
  'redis://one:65536',
  'redis://one?x=1',
  'redis+cluster://one/1',
  'redis+sentinel://one',
  'redis+sentinel://one/',
  'redis://u:p@w@one',
  'redis://u:%zz@one',
  'redis+cluster://one,,two',
])('%s is refused', (url) => {
  expect(parseRedisUrl(url)).toBeNull();
});

test('user and password are read from it, and only the user is shown', () => {
  const address = parseRedisUrl('redis://al%40ice:p%3Aw%2F%40@one/2');
  expect([address?.username, address?.password?.()]).toEqual(['al@ice', 'p:w/@']);
  expect(describeRedis(address as NonNullable<typeof address>)).toBe('redis://al%40ice:***@one:6379/2');
  const nameless = parseRedisUrl('rediss+cluster://:secret@[::1],two');
  expect([nameless?.username, nameless?.password?.()]).toEqual([undefined, 'secret']);
  expect(describeRedis(nameless as NonNullable<typeof nameless>)).toBe('rediss+cluster://:***@[::1]:6379,two:6379');
});
