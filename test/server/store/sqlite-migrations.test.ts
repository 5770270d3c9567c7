import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { MIGRATIONS } from '../../../lib/server/store/sqlite/migrations.ts';
import { scratchDir } from '../../helpers/scratch-dir.ts';
import { draft, drafts, ROOM, readAll, seqsOf, storedOf } from './drafts.ts';
import { openStore } from './sqlite-store.ts';

const VERSIONS = MIGRATIONS.map((_, i) => i + 1);

describe('a file of an earlier version', () => {
  test.each(VERSIONS)('%i has after the upgrade all that it had', async (version) => {
    const dataDir = scratchDir();
    restore(dataDir, version);
    const store = await openStore({ dataDir });
    expect(await store.open(ROOM)).toMatchObject({ first: 1, last: 130 });
    const all = [...drafts(1, 129), draft(130, { kind: 'action', body: 'wäves' })];
    const seqs = all.map((each, i) => storedOf(each, { seq: i + 1, ts: each.ts, isDuplicate: false }));
    expect(await readAll(store)).toEqual(seqs);
    expect(seqsOf((await store.search(ROOM, { words: ['77'], limit: 9 })).messages)).toEqual([77]);
    expect(await store.append([draft(5, { isAgain: true }), draft(131)])).toMatchObject([{ seq: 5 }, { seq: 131 }]);
    expect(await store.get('account', 'alice')).toMatchObject({ value: { name: 'Alice' }, version: 1 });
    expect(await store.get('ban', 'mallory')).toMatchObject({ value: { why: 'spam' }, version: 2 });
    expect(await store.put('account', 'bob', 1)).toBe(3);
    await store.close();
    expect(schemaOf(dataDir)).toEqual(await newSchema());
  });
});

/** The file as that version wrote it. */
function restore(dataDir: string, version: number): void {
  const path = join(dataDir, 'bcast.db');
  const database = new DatabaseSync(path);
  database.exec(readFileSync(join(import.meta.dirname, 'schemas', `${version}.sql`), 'utf8'));
  database.close();
  chmodSync(path, 0o600);
}

async function newSchema(): Promise<unknown> {
  const dataDir = scratchDir();
  await (await openStore({ dataDir })).close();
  return schemaOf(dataDir);
}

/** Version, tables and indices, whatever the order they were made in and the comments in them. */
function schemaOf(dataDir: string): unknown {
  const database = new DatabaseSync(join(dataDir, 'bcast.db'), { readOnly: true });
  const version = database.prepare('PRAGMA user_version').get();
  const rows = database.prepare('SELECT type, name, sql FROM sqlite_schema ORDER BY type, name').all();
  database.close();
  const plain = (sql: unknown) => String(sql).replaceAll(/--.*$/gm, '').replaceAll(/\s+/g, ' ');
  return { version, rows: rows.map(({ type, name, sql }) => [type, name, plain(sql)]) };
}
