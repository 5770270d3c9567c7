import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Directories } from '../../lib/config/directories.ts';
import {
  adminSocketOf,
  announceLocalServer,
  type LocalServer,
  localServers,
  withdrawLocalServer,
} from '../../lib/config/local-server.ts';
import { isPrivate } from '../../lib/config/private-file.ts';
import { scratchDir } from '../helpers/scratch-dir.ts';

const FILE_9000 = `server-9000-${process.pid}.json`;

/** No process can have it: one above the largest that Linux gives. */
const NOBODY = 4_194_305;

function directories(): Directories {
  const home = scratchDir();
  return { config: home, data: home, state: home, runtime: join(home, 'run', 'bcast') };
}

function server(port: number, over: Partial<LocalServer> = {}): LocalServer {
  const url = `bcast://127.0.0.1:${port}`;
  return {
    url,
    host: '127.0.0.1',
    port,
    fingerprint: `SHA256:${port}`,
    pid: process.pid,
    startedMs: 1_000,
    adminSocket: null,
    ...over,
  };
}

describe('servers of this account', () => {
  test('are none where none was started', () => {
    expect(localServers(directories())).toEqual([]);
  });

  test('are found by a file that nobody else can read, until they are withdrawn', () => {
    const places = directories();
    announceLocalServer(places, server(9000));
    expect(localServers(places)).toEqual([server(9000)]);
    expect(statSync(places.runtime).mode & 0o777).toBe(0o700);
    const [name = ''] = readdirSync(places.runtime);
    expect(statSync(join(places.runtime, name)).mode & 0o777).toBe(0o600);
    withdrawLocalServer(places, server(9000));
    expect(localServers(places)).toEqual([]);
    expect(readdirSync(places.runtime)).toEqual([]);
  });

  test('come with the newest first', () => {
    const places = directories();
    announceLocalServer(places, server(9000, { startedMs: 1_000 }));
    announceLocalServer(places, server(9001, { startedMs: 3_000 }));
    announceLocalServer(places, server(9002, { startedMs: 2_000 }));
    expect(localServers(places).map(({ port }) => port)).toEqual([9001, 9002, 9000]);
  });

  test('that died without a word are passed over', () => {
    const places = directories();
    announceLocalServer(places, server(9000, { pid: NOBODY }));
    announceLocalServer(places, server(9001));
    expect(localServers(places).map(({ port }) => port)).toEqual([9001]);
  });

  test('may share a port, and each withdraws itself alone', () => {
    const places = directories();
    const other = server(9000, { pid: process.ppid });
    announceLocalServer(places, server(9000));
    announceLocalServer(places, other);
    expect(localServers(places)).toHaveLength(2);
    withdrawLocalServer(places, server(9000));
    expect(localServers(places)).toEqual([other]);
  });

  test('that were killed leave nothing for long', () => {
    const places = directories();
    const dead = server(9000, { pid: NOBODY });
    announceLocalServer(places, dead);
    writeFileSync(adminSocketOf(places, dead), '');
    writeFileSync(join(places.runtime, 'notes.sock'), '');
    announceLocalServer(places, server(9001));
    expect(readdirSync(places.runtime).sort()).toEqual(['notes.sock', `server-9001-${process.pid}.json`]);
  });

  test('say where their admin socket is', () => {
    const places = directories();
    const adminSocket = adminSocketOf(places, server(9000));
    announceLocalServer(places, server(9000, { adminSocket }));
    expect(localServers(places)).toMatchObject([{ adminSocket }]);
    expect(dirname(adminSocket)).toBe(places.runtime);
  });

  test('are not believed from a file that others may have written', () => {
    const places = directories();
    announceLocalServer(places, server(9000));
    chmodSync(join(places.runtime, FILE_9000), 0o620);
    expect(localServers(places)).toEqual([]);
  });

  test('are not believed from a directory that others may write to; announcing closes it', () => {
    const places = directories();
    mkdirSync(places.runtime, { recursive: true });
    chmodSync(places.runtime, 0o777);
    writeFileSync(join(places.runtime, FILE_9000), JSON.stringify(server(9000)), { mode: 0o600 });
    expect(localServers(places)).toEqual([]);
    announceLocalServer(places, server(9001));
    expect(statSync(places.runtime).mode & 0o777).toBe(0o700);
  });

  test.each(['', '{', 'null', '[]', '{}', '{"pid":1}'])('are not found in a file of %j', (content) => {
    const places = directories();
    announceLocalServer(places, server(9000));
    writeFileSync(join(places.runtime, FILE_9000), content);
    writeFileSync(join(places.runtime, 'other.json'), JSON.stringify(server(1)));
    expect(localServers(places)).toEqual([]);
  });
});

test('what belongs to another account is not private', () => {
  const uid = process.getuid?.() ?? 0;
  expect(isPrivate({ mode: 0o100600, uid })).toBe(true);
  expect(isPrivate({ mode: 0o100600, uid: uid + 1 })).toBe(false);
  expect(isPrivate({ mode: 0o100604, uid })).toBe(false);
  expect(isPrivate({ mode: 0o100660, uid })).toBe(false);
});
