import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadServerKey } from '../../lib/server/server-key.ts';
import { createNativeCrypto } from '../../lib/wire/crypto/native.ts';
import { scratchDir } from '../helpers/scratch-dir.ts';
import { startServer } from '../helpers/server.ts';

const crypto = createNativeCrypto();

describe('the server key', () => {
  test('is made on the first start, for its owner alone, and kept', async () => {
    const dataDir = join(scratchDir(), 'deep', 'data');
    const first = loadServerKey(dataDir, crypto);
    expect(first.isNew).toBe(true);
    expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
    expect((await stat(join(dataDir, 'server_key'))).mode & 0o777).toBe(0o600);
    const second = loadServerKey(dataDir, crypto);
    expect(second).toMatchObject({ isNew: false });
    expect(second.identity.fingerprint).toBe(first.identity.fingerprint);
  });

  test('is another for every server', () => {
    const keys = [loadServerKey(scratchDir(), crypto), loadServerKey(scratchDir(), crypto)];
    expect(keys[0]?.identity.fingerprint).not.toBe(keys[1]?.identity.fingerprint);
  });

  test.each([0o640, 0o604, 0o660, 0o644, 0o611])('is refused with mode %o', async (mode) => {
    const dataDir = scratchDir();
    loadServerKey(dataDir, crypto);
    await chmod(join(dataDir, 'server_key'), mode);
    expect(codeAndText(() => loadServerKey(dataDir, crypto))).toMatchObject({
      code: 'CONFIG',
      message: expect.stringContaining('chmod 600'),
    });
  });

  test('leaves nothing else behind', async () => {
    const dataDir = scratchDir();
    loadServerKey(dataDir, crypto);
    expect(await readdir(dataDir)).toEqual(['server_key']);
  });

  test.each(['', 'nonsense', '{}', '\u0000'.repeat(100)])('is refused when it is damaged: %j', async (content) => {
    const dataDir = scratchDir();
    await writeFile(join(dataDir, 'server_key'), content, { mode: 0o600 });
    expect(codeAndText(() => loadServerKey(dataDir, crypto))).toMatchObject({ code: 'CONFIG' });
    expect(await readFile(join(dataDir, 'server_key'), 'utf8')).toBe(content);
  });

  test('is refused when half of it is missing', async () => {
    const dataDir = scratchDir();
    loadServerKey(dataDir, crypto);
    const path = join(dataDir, 'server_key');
    const content = await readFile(path, 'utf8');
    await writeFile(path, content.slice(0, content.length / 2));
    expect(codeAndText(() => loadServerKey(dataDir, crypto))).toMatchObject({ code: 'CONFIG' });
  });

  test('is refused when something else stands in its place', async () => {
    const dataDir = scratchDir();
    await mkdir(join(dataDir, 'server_key'), { mode: 0o700 });
    expect(() => loadServerKey(dataDir, crypto)).toThrow();
  });

  test('gives a server the same fingerprint after every start', async () => {
    const dataDir = scratchDir();
    const first = await startServer({ dataDir });
    expect(first.isNewKey).toBe(true);
    await first.stop();
    expect(await startServer({ dataDir })).toMatchObject({ fingerprint: first.fingerprint, isNewKey: false });
  });
});

/** What a call throws; fails when it throws nothing. */
function codeAndText(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
