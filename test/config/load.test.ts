import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { loadOptions, type Sources } from '../../lib/config/load.ts';
import { CLIENT_OPTIONS, type ClientOptions, SERVER_OPTIONS, type ServerOptions } from '../../lib/config/options.ts';

const none: Sources = { flags: {}, env: {}, dotenv: {}, file: {} };
const server = (sources: Partial<Sources>) => loadOptions<ServerOptions>(SERVER_OPTIONS, { ...none, ...sources });

describe('loadOptions', () => {
  test('takes flags before the environment, that before .env, that before the file, and the default last', () => {
    const all = {
      flags: { port: '1' },
      env: { BCAST_PORT: '2' },
      dotenv: { BCAST_PORT: '3' },
      file: { BCAST_PORT: '4' },
    };
    const layers = ['flag', 'environment', '.env', 'file', 'default'] as const;
    const seen = layers.map((_, i) => {
      const entries = Object.entries(all).slice(i);
      const { values, origins } = server(Object.fromEntries(entries));
      return [values.port, origins.port];
    });
    expect(seen).toEqual([
      [1, 'flag'],
      [2, 'environment'],
      [3, '.env'],
      [4, 'file'],
      [9000, 'default'],
    ]);
  });

  test('counts an empty variable as unset and refuses an empty flag', () => {
    expect(server({ env: { BCAST_PORT: '' }, file: { BCAST_PORT: '7' } }).values.port).toBe(7);
    expect(() => server({ flags: { host: '' } })).toThrow('--host must be a text, not "".');
  });

  test('names the place and the rule that was broken', () => {
    expect(() => server({ flags: { port: '70000' } })).toThrow(
      '--port must be a whole number from 0 to 65535, not "70000".',
    );
    expect(() => server({ dotenv: { BCAST_IDLE_TIMEOUT: 'soon' } })).toThrow(
      'BCAST_IDLE_TIMEOUT (.env) must be a duration',
    );
    expect(() => server({ env: { BCAST_LOG_LEVEL: 'loud' } })).toThrow(
      'BCAST_LOG_LEVEL (environment) must be one of trace,',
    );
    expect(() => server({ flags: { port: 'x' } })).toThrow(expect.objectContaining({ code: 'CONFIG', exit: 2 }));
  });

  test('takes no password from the command line, and repeats none in an error', () => {
    const url = 'redis://:s3cret@localhost';
    expect(() => server({ flags: { 'redis-url': url } })).toThrow(
      '--redis-url holds a password, which others can read there; use BCAST_REDIS_URL.',
    );
    expect(server({ flags: { 'redis-url': 'redis://localhost' } }).values.redisUrl).toBeDefined();
    const { values } = server({ env: { BCAST_REDIS_URL: url } });
    expect(values.redisUrl?.password?.()).toBe('s3cret');
    expect(JSON.stringify(values)).not.toContain('s3cret');
    expect(inspect(values, { depth: 9 })).not.toContain('s3cret');
    expect(() => server({ env: { BCAST_REDIS_URL: `${url}:x` } })).toThrow(/^(?!.*s3cret).*must be redis:/);
  });

  test('leaves an option without a default unset', () => {
    const { values } = loadOptions<ClientOptions>(CLIENT_OPTIONS, none);
    expect(values.server).toBeUndefined();
    expect(values.room).toBe('lobby');
    expect(values.acceptNew).toBe(false);
  });

  test('gives values that nobody can change', () => {
    expect(Object.isFrozen(server({}).values)).toBe(true);
  });
});
