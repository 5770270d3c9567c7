import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { findEndpoint, unaskedName } from '../../lib/cli/endpoint.ts';
import { directoriesOf } from '../../lib/config/directories.ts';
import { announceLocalServer } from '../../lib/config/local-server.ts';
import type { BcastError } from '../../lib/errors.ts';

const FP = `SHA256:${'A'.repeat(43)}`;
const OTHER_FP = `SHA256:${'E'.repeat(43)}`;
let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'bcast-endpoint-'));
  vi.stubEnv('HOME', home);
  for (const name of ['XDG_RUNTIME_DIR', 'XDG_STATE_HOME', 'XDG_DATA_HOME', 'XDG_CONFIG_HOME']) vi.stubEnv(name, '');
  for (const name of ['SERVER', 'USER', 'ROOM', 'FINGERPRINT', 'CODE', 'PASSWORD'])
    vi.stubEnv(`BCAST_${name}`, undefined);
});
afterEach(() => rmSync(home, { recursive: true }));

function find(flags: Readonly<Record<string, string>> = {}, url?: string) {
  const lists = flags['room'] === undefined ? {} : { room: [flags['room']] };
  return findEndpoint({ args: [], flags, lists }, url);
}

function announce(port: number, startedMs: number): void {
  const url = `bcast://127.0.0.1:${port}?fp=${FP}`;
  const server = { url, host: '127.0.0.1', port, fingerprint: FP, pid: process.pid, startedMs, adminSocket: null };
  announceLocalServer(directoriesOf(process.env, home, process.platform), server);
}

describe('the server', () => {
  test('is the URL, else --server, else BCAST_SERVER, else the newest that runs here', () => {
    announce(7001, 1);
    announce(7002, 2);
    expect(find().connect.server).toEqual({ host: '127.0.0.1', port: 7002 });
    vi.stubEnv('BCAST_SERVER', 'env.example');
    expect(find().connect.server).toMatchObject({ host: 'env.example', port: 9000 });
    expect(find({ server: 'flag.example:7' }).connect.server).toMatchObject({ host: 'flag.example', port: 7 });
    expect(find({}, 'bcast://url.example').connect.server).toMatchObject({ host: 'url.example' });
  });

  test('must be somewhere, and be named once', () => {
    expect(() => find()).toThrow(expect.objectContaining({ code: 'CONNECT_FAILED', exit: 3 }));
    expect(() => find({ server: 'a' }, 'b')).toThrow(expect.objectContaining({ code: 'USAGE', exit: 2 }));
    expect(() => find({}, 'http://a')).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });
});

describe('the identity to accept', () => {
  test('is the flag or the URL, else BCAST_FINGERPRINT', () => {
    vi.stubEnv('BCAST_FINGERPRINT', OTHER_FP);
    expect(find({}, 'h').connect.trust).toMatchObject({ fingerprint: OTHER_FP });
    expect(find({}, `bcast://h?fp=${FP}`).connect.trust).toMatchObject({ fingerprint: FP });
    expect(find({ fingerprint: FP }, 'h').connect.trust).toMatchObject({ fingerprint: FP });
    expect(find({ fingerprint: FP }, `bcast://h?fp=${FP}`).connect.trust).toMatchObject({ fingerprint: FP });
  });

  test('cannot be two', () => {
    expect(() => find({ fingerprint: OTHER_FP }, `bcast://h?fp=${FP}`)).toThrow(
      expect.objectContaining({ code: 'USAGE' }),
    );
  });
});

describe('the room', () => {
  test('is -r, else the URL, else BCAST_ROOM, else the lobby', () => {
    expect(find({}, 'h')).toMatchObject({ rooms: ['lobby'], isRoomNamed: false });
    vi.stubEnv('BCAST_ROOM', 'env');
    expect(find({}, 'h')).toMatchObject({ rooms: ['env'], isRoomNamed: true });
    expect(find({}, 'bcast://h/url')).toMatchObject({ rooms: ['url'], isRoomNamed: true });
    expect(find({ room: 'flag' }, 'bcast://h/url')).toMatchObject({ rooms: ['flag'], isRoomNamed: true });
  });
});

describe('secrets', () => {
  function fileWith(text: string): string {
    const path = join(home, 'secret');
    writeFileSync(path, text);
    return path;
  }

  test('come from a file, its first line, or from a variable', () => {
    expect(find({}, 'h').connect).not.toHaveProperty('password');
    vi.stubEnv('BCAST_PASSWORD', 'from env');
    expect(find({}, 'h').connect).toMatchObject({ password: 'from env' });
    const path = fileWith(' from file \r\nmore\n');
    expect(find({ 'password-file': path }, 'h').connect).toMatchObject({ password: ' from file ' });
    vi.stubEnv('BCAST_PASSWORD', '');
    vi.stubEnv('BCAST_PASSWORD_FILE', path);
    expect(find({}, 'h').connect).toMatchObject({ password: ' from file ' });
  });

  test('that cannot be read are said to be so, by the name of the file', () => {
    const codes = [join(home, 'nothing'), fileWith('\nsecond line'), home].map((path) => {
      try {
        find({ 'code-file': path }, 'h');
      } catch (error) {
        return [(error as BcastError).code, (error as BcastError).message.includes(path)];
      }
      return null;
    });
    expect(codes).toEqual([
      ['CONFIG', true],
      ['CONFIG', true],
      ['CONFIG', true],
    ]);
  });

  test('are read no further than a secret can be long', () => {
    expect(find({ 'code-file': '/dev/zero' }, 'h').code).toHaveLength(4_096);
  });

  test("the code of a room is --code-file's, else the URL's, else BCAST_CODE", () => {
    const path = fileWith('FILE0\n');
    expect(find({}, 'bcast://h/den').code).toBeUndefined();
    vi.stubEnv('BCAST_CODE', 'ENV00');
    expect(find({}, 'bcast://h/den').code).toBe('ENV00');
    // The client itself knows the code of the URL's room.
    expect(find({}, 'bcast://h/den?code=URL00')).toMatchObject({
      code: undefined,
      connect: { server: { code: 'URL00' } },
    });
    expect(find({ room: 'DEN' }, 'bcast://h/den?code=URL00').code).toBeUndefined();
    expect(find({ room: 'attic' }, 'bcast://h/den?code=URL00').code).toBe('ENV00');
    expect(find({ room: 'den' }, 'bcast://h?code=URL00').code).toBe('URL00');
    expect(find({ 'code-file': path }, 'bcast://h/den?code=URL00').code).toBe('FILE0');
  });
});

describe('the name', () => {
  test('is -u, else the URL, else BCAST_USER, else the remembered one, else the account', () => {
    expect(unaskedName(find({}, 'h'))).not.toBe('');
    const { files } = find({}, 'h');
    mkdirSync(join(files.profile, '..'), { recursive: true });
    writeFileSync(files.profile, '{"name":"remembered"}');
    expect(unaskedName(find({}, 'h'))).toBe('remembered');
    vi.stubEnv('BCAST_USER', 'env');
    expect(unaskedName(find({}, 'h'))).toBe('env');
    expect(unaskedName(find({}, 'bcast://url@h'))).toBe('url');
    expect(unaskedName(find({ user: 'flag' }, 'bcast://url@h'))).toBe('flag');
  });
});
