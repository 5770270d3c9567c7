import { describe, expect, test } from 'vitest';
import { LiveConfig, type ServerConfig } from '../../lib/config/live-config.ts';
import { loadOptions } from '../../lib/config/load.ts';
import { withoutSecrets } from '../../lib/config/mask.ts';
import { SERVER_OPTIONS, type ServerOptions } from '../../lib/config/options.ts';

function config(over: Partial<ServerConfig> = {}): ServerConfig {
  const { values } = loadOptions<ServerOptions>(SERVER_OPTIONS, { flags: {}, env: {}, dotenv: {}, file: {} });
  return { ...values, dataDir: '/data', serverName: 'bcast test', ...over };
}

describe('the configuration of a running server', () => {
  test('is one object, whatever is read again', () => {
    const live = new LiveConfig(config());
    const { values } = live;
    live.reload(config({ maxRooms: 5 }));
    expect(live.values).toBe(values);
    expect(values.maxRooms).toBe(5);
  });

  test('does not change with the object it was made of', () => {
    const read = { ...config() };
    const live = new LiveConfig(read);
    Object.assign(read, { maxRooms: 1 });
    expect(live.values.maxRooms).toBe(100_000);
  });

  test('keeps what waits for a restart, and says so each time', () => {
    const live = new LiveConfig(config());
    const waiting = [{ option: 'port', before: '9000', after: '7000' }];
    expect(live.reload(config({ port: 7_000 }))).toEqual({ changed: [], waiting });
    expect(live.values.port).toBe(9_000);
    expect(live.reload(config({ port: 7_000 }))).toEqual({ changed: [], waiting });
    expect(live.reload(config())).toEqual({ changed: [], waiting: [] });
  });

  test('shows values as they are typed', () => {
    const live = new LiveConfig(config());
    const { changed } = live.reload(
      config({ idleTimeout: 120_000, trustedProxies: ['10.0.0.0/8', '::1'], admins: [], auth: 'accounts' }),
    );
    expect(changed).toEqual([
      { option: 'trusted-proxies', before: '', after: '10.0.0.0/8,::1' },
      { option: 'auth', before: 'open', after: 'accounts' },
      { option: 'idle-timeout', before: '90s', after: '2m' },
    ]);
  });

  test('takes all of it or nothing', () => {
    const live = new LiveConfig(config());
    const bad = config({ maxRooms: 5, motd: '日'.repeat(1_366) });
    expect(() => live.reload(bad)).toThrow(expect.objectContaining({ code: 'CONFIG' }));
    expect(live.values.maxRooms).toBe(100_000);
    expect(() => new LiveConfig(bad)).toThrow(expect.objectContaining({ code: 'CONFIG' }));
  });
});

test.each([
  ['redis://user:s3cret@host:6379/0', 'redis://user:***@host:6379/0'],
  ['rediss://:s3cret@host', 'rediss://:***@host'],
  ['redis://:a@one,redis://:b@two', 'redis://:***@one,redis://:***@two'],
  ['bcast://host/den#s3cret', 'bcast://host/den#***'],
  ['plain words: a@b', 'plain words: a@b'],
])('%s is shown as %s', (text, shown) => {
  expect(withoutSecrets(text)).toBe(shown);
});
