import { expect, test } from 'vitest';
import { CLIENT_OPTIONS, SERVER_OPTIONS } from '../../lib/config/options.ts';

const all = [...Object.entries(SERVER_OPTIONS), ...Object.entries(CLIENT_OPTIONS)];

test('every option is one thing under three spellings', () => {
  for (const [key, { name, env }] of all) {
    expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(env).toBe(`BCAST_${name.replaceAll('-', '_').toUpperCase()}`);
    expect(name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())).toBe(key);
  }
});

test('no two options share a name', () => {
  const names = all.map(([, { name }]) => name);
  expect(new Set(names).size).toBe(names.length);
});

test('help is one sentence that fits a terminal', () => {
  for (const [, { help }] of all) {
    expect(help).toMatch(/^\S.*\.$/);
    expect(help.length).toBeLessThan(90);
  }
});
