import { parse } from 'dotenv';
import { expect, test } from 'vitest';
import { renderEnvExample } from '../../lib/config/load.ts';
import { CLIENT_OPTIONS, SERVER_OPTIONS } from '../../lib/config/options.ts';

const example = renderEnvExample({
  'The server: bcast start': SERVER_OPTIONS,
  'The clients: bcast connect, send and tail': CLIENT_OPTIONS,
});

// `npx vitest run test/config -u` writes it anew.
test('.env.example is the option table, rendered', async () => {
  await expect(example).toMatchFileSnapshot('../../.env.example');
});

test('.env.example sets nothing as it stands, and every default when its lines are uncommented', () => {
  expect(parse(example)).toEqual({});
  const values = parse(example.replace(/^#(?=BCAST_)/gm, ''));
  for (const { env, kind, fallback } of Object.values({ ...SERVER_OPTIONS, ...CLIENT_OPTIONS })) {
    const format = kind.format as (value: unknown) => string;
    expect(values[env]).toBe(fallback === undefined ? '' : format(fallback));
  }
});
