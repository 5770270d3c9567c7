import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { SERVER_OPTIONS } from '../../lib/config/options.ts';

const OPERATIONS = readFileSync(new URL('../../docs/OPERATIONS.md', import.meta.url), 'utf8');

test.each(Object.values(SERVER_OPTIONS).map(({ name }) => name))('docs/OPERATIONS.md tells of %s', (name) => {
  expect(OPERATIONS).toMatch(new RegExp(`\`(--)?${name}\\b`));
});

test('docs/OPERATIONS.md lists what waits for a restart', () => {
  const [, listed = ''] = /Everything is taken over but ([^(]*)\(/.exec(OPERATIONS) ?? [];
  const fixed = Object.values(SERVER_OPTIONS).filter(({ live }) => !live);
  expect([...listed.matchAll(/`([\w-]+)`/g)].map(([, name]) => name).sort()).toEqual(
    fixed.map(({ name }) => name).sort(),
  );
});
