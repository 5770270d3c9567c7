import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { MIGRATIONS } from '../../../lib/server/store/sqlite/migrations.ts';
import { scratchDir } from '../../helpers/scratch-dir.ts';
import { draft, drafts, ROOM, readAll, seqsOf } from './drafts.ts';
import { openStore } from './sqlite-store.ts';

describe('the file of a SQLite store', () => {
  test('and what stands beside it is closed to others', async () => {
    const dataDir = scratchDir();
    const store = await openStore({ dataDir });
    await store.open(ROOM);
    for (const end of ['', '-wal', '-shm', '-lock']) {
      expect(statSync(join(dataDir, `bcast.db${end}`)).mode & 0o777).toBe(0o600);
    }
  });

  test('is refused when others may read it', async () => {
    const dataDir = scratchDir();
    await (await openStore({ dataDir })).close();
    chmodSync(join(dataDir, 'bcast.db'), 0o640);
    await expect(openStore({ dataDir })).rejects.toMatchObject({
      code: 'CONFIG',
      message: expect.stringContaining('chmod 600'),
    });
  });

  test('is refused while another server has it, and free once that has ended', async () => {
    const dataDir = scratchDir();
    const store = await openStore({ dataDir });
    await expect(openStore({ dataDir })).rejects.toMatchObject({
      code: 'CONFIG',
      message: expect.stringContaining('in use by another bcast server'),
    });
    await store.open(ROOM);
    await store.close();
    expect(await (await openStore({ dataDir })).bounds(ROOM)).not.toBeNull();
  });

  test('is refused when it is damaged, is something else, or was written by a newer bcast; and left as it was', async () => {
    const [damaged, foreign, newer] = [scratchDir(), scratchDir(), scratchDir()];
    writeFileSync(join(damaged, 'bcast.db'), 'no database at all'.repeat(100), { mode: 0o600 });
    change(foreign, 'CREATE TABLE mine (x); PRAGMA user_version = 1');
    await (await openStore({ dataDir: newer })).close();
    change(newer, `PRAGMA user_version = ${MIGRATIONS.length + 1}`);
    for (const [dataDir, words] of [
      [damaged, 'is damaged or no database'],
      [foreign, 'not one of bcast'],
      [newer, 'was written by a newer bcast'],
    ] as const) {
      const before = readFileSync(join(dataDir, 'bcast.db'));
      await expect(openStore({ dataDir })).rejects.toMatchObject({
        code: 'CONFIG',
        message: expect.stringContaining(words),
      });
      expect(readFileSync(join(dataDir, 'bcast.db')).equals(before)).toBe(true);
      // The lock was given back.
      await expect(openStore({ dataDir })).rejects.toMatchObject({ message: expect.stringContaining(words) });
    }
  });
});

describe('a full disk', () => {
  test('fails what does not fit and nothing else, and is forgotten when there is room again', async () => {
    let database: DatabaseSync | undefined;
    const store = await openStore({
      onOpen: (opened) => {
        database = opened;
      },
    });
    // The file has about 20 pages of 4 KiB when it is empty.
    database?.exec('PRAGMA max_page_count = 60');
    await store.open(ROOM);
    await store.append([draft(1)]);
    const large = drafts(2, 100, { body: 'x'.repeat(5_000) });
    await expect(store.append(large)).rejects.toMatchObject({ code: 'INTERNAL' });
    await expect(store.put('setting', 'motd', 'x'.repeat(1_000_000))).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(await store.append([draft(102)])).toMatchObject([{ seq: 2 }]);
    expect((await readAll(store)).map(({ body }) => body)).toEqual(['body 1', 'body 102']);
    // What comes again after a failure was not stored.
    database?.exec('PRAGMA max_page_count = 100000');
    const answers = await store.append(large.map((each) => ({ ...each, isAgain: true })));
    expect(seqsOf(answers)).toEqual(large.map((_, i) => i + 3));
    expect(await readAll(store)).toHaveLength(102);
  });
});

/** Changes the file behind the back of any store. */
function change(dataDir: string, sql: string): void {
  const path = join(dataDir, 'bcast.db');
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
  chmodSync(path, 0o600);
}
