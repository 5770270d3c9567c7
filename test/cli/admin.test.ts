import { join } from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { admin } from '../../lib/cli/admin.ts';
import { findServer } from '../../lib/cli/admin-client.ts';
import { backup } from '../../lib/cli/backup.ts';
import { reload } from '../../lib/cli/reload.ts';
import type { Verb } from '../../lib/cli/verb.ts';
import type { Directories } from '../../lib/config/directories.ts';
import { adminSocketOf, announceLocalServer, type LocalServer } from '../../lib/config/local-server.ts';
import { scratchDir } from '../helpers/scratch-dir.ts';

const program = { version: '1.2.3', loadVerbs: async () => [] };

function run(verb: Verb, args: readonly string[], flags: Readonly<Record<string, string>> = {}): Promise<number> {
  return verb.run({ args, flags, lists: {} }, program);
}

/** Nobody's account: nothing was ever started in it. */
beforeEach(() => {
  vi.stubEnv('HOME', scratchDir());
  vi.stubEnv('XDG_RUNTIME_DIR', '');
  vi.stubEnv('XDG_STATE_HOME', '');
});

describe('bcast admin', () => {
  test.each([
    [[]],
    [['explode']],
    [['constructor']],
    [['status', 'x']],
    [['kick']],
    [['ban']],
    [['unban']],
    [['unban', 'a', 'b']],
  ])('%j is a mistake, with or without a server', async (args) => {
    await expect(run(admin, args)).rejects.toMatchObject({ code: 'USAGE' });
  });

  test.each(['10001', '-1', 'many', '1e3', ''])('--limit %j is a mistake', async (limit) => {
    await expect(run(admin, ['rooms'], { limit })).rejects.toMatchObject({ code: 'USAGE' });
  });

  test('says which operations there are, and help explains each', async () => {
    await expect(run(admin, ['explode'])).rejects.toThrow('status, rooms, sessions, bans, audit, kick, ban, unban');
    for (const name of admin.args[0]?.choices ?? []) {
      expect(admin.notes).toMatch(new RegExp(`^  ${name} `, 'm'));
      expect(admin.examples.map(([command]) => command)).toContainEqual(expect.stringContaining(`bcast admin ${name}`));
    }
  });
});

test.each([
  ['admin', admin, ['status']],
  ['reload', reload, []],
  ['backup', backup, ['x.db']],
] as const)('bcast %s without a server says so', async (_name, verb, args) => {
  await expect(run(verb, args)).rejects.toMatchObject({
    code: 'CONNECT_FAILED',
    message: expect.stringContaining('None of your servers runs on this machine.'),
  });
});

test('bcast backup wants one file', async () => {
  await expect(run(backup, [])).rejects.toMatchObject({ code: 'USAGE' });
  await expect(run(backup, ['a', 'b'])).rejects.toMatchObject({ code: 'USAGE' });
});

describe('the server that is meant', () => {
  function announce(...servers: readonly Partial<LocalServer>[]): Directories {
    const home = scratchDir();
    const directories = { config: home, data: home, state: home, runtime: join(home, 'run') };
    for (const over of servers) {
      const place = { port: 9_000, pid: process.pid, ...over };
      const adminSocket = adminSocketOf(directories, place);
      announceLocalServer(directories, { url: '', host: '', fingerprint: '', startedMs: 1, adminSocket, ...place });
    }
    return directories;
  }

  test('is the only one', () => {
    expect(findServer({}, announce({ port: 7_000 }))).toMatchObject({ port: 7_000 });
  });

  test('must be named when there are several', () => {
    const directories = announce({ port: 7_000 }, { port: 7_001 });
    expect(() => findServer({}, directories)).toThrow(
      expect.objectContaining({ code: 'USAGE', message: expect.stringContaining(`port 7001 (pid ${process.pid})`) }),
    );
    expect(findServer({ port: '7001' }, directories)).toMatchObject({ port: 7_001 });
  });

  test('must be named by its process when several share a port', () => {
    const directories = announce({ pid: process.pid }, { pid: process.ppid });
    expect(() => findServer({ port: '9000' }, directories)).toThrow(expect.objectContaining({ code: 'USAGE' }));
    expect(findServer({ pid: String(process.ppid) }, directories)).toMatchObject({ pid: process.ppid });
  });

  test('is not one that nobody named', () => {
    expect(() => findServer({ port: '1' }, announce({}))).toThrow(
      expect.objectContaining({ code: 'CONNECT_FAILED', message: expect.stringContaining('port 9000') }),
    );
  });
});
