import type { DatabaseSync } from 'node:sqlite';
import { BcastError } from '../../../errors.ts';

/** Tells our files from other SQLite files: `bcas` in ASCII. */
const APPLICATION_ID = 0x62636173;

/**
 * The schema, one step at a time: the step at place n brings a file of version n to n + 1 (`PRAGMA user_version`). Steps
 * that were released are never changed; test/server/store/sqlite-migrations.test.ts has a file of each version.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE rooms (
    id INTEGER PRIMARY KEY,
    -- NULL from when the room is forgotten until nothing is left of it.
    key TEXT UNIQUE,
    incarnation TEXT NOT NULL,
    is_retained INTEGER NOT NULL DEFAULT 0,
    -- Of smaller seqs nothing is left, or nothing but their ids.
    floor INTEGER NOT NULL DEFAULT 1,
    -- The last seq that is in the index of words.
    indexed INTEGER NOT NULL DEFAULT 0
  ) STRICT;

  -- What came last, of all rooms, as journal.ts writes it: one row a write, until the rooms' chunks have it.
  CREATE TABLE journal (id INTEGER PRIMARY KEY, parts BLOB NOT NULL) STRICT;

  -- Messages in a row, as entries.ts writes them. The id is room << 36 | the first seq.
  CREATE TABLE chunks (
    id INTEGER PRIMARY KEY,
    last INTEGER NOT NULL,
    first_ts INTEGER NOT NULL,
    last_ts INTEGER NOT NULL,
    entries BLOB NOT NULL
  ) STRICT;

  -- Which words stand in a block of messages. The rowid is room << 36 | the first seq of the block.
  CREATE VIRTUAL TABLE words USING fts5(text, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii');
  -- Its parts are merged a little at a time, and not in the middle of a write.
  INSERT INTO words (words, rank) VALUES ('automerge', 0);
  INSERT INTO words (words, rank) VALUES ('crisismerge', 64);

  CREATE TABLE records (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    version INTEGER NOT NULL,
    expires_ms INTEGER,
    PRIMARY KEY (kind, key)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX records_by_end ON records (expires_ms) WHERE expires_ms IS NOT NULL;

  CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  INSERT INTO counters VALUES ('version', 0);
  `,
];

/** The version of the schema in the file; 0 for an empty one. Throws CONFIG for a newer one and for what is not ours. */
export function versionOf(database: DatabaseSync, path: string): number {
  const [version, application] = [numberOf(database, 'user_version'), numberOf(database, 'application_id')];
  const isOurs = application === APPLICATION_ID || (application === 0 && version === 0 && isEmpty(database));
  if (!isOurs) throw new BcastError('CONFIG', { text: `${path} is a database, but not one of bcast.` });
  if (version <= MIGRATIONS.length) return version;
  throw new BcastError('CONFIG', {
    text: `${path} was written by a newer bcast: its version is ${version}, and this one knows up to ${MIGRATIONS.length}. Run the newer bcast, or restore a backup from before the upgrade. The file was not touched.`,
  });
}

/** Runs the steps that the file has not seen, each with its number in one transaction. Throws CONFIG as `versionOf`. */
export function migrate(database: DatabaseSync, path: string, transaction: (work: () => void) => void): void {
  const version = versionOf(database, path);
  for (const [i, step] of MIGRATIONS.slice(version).entries()) {
    const stamps = `PRAGMA user_version = ${version + i + 1}; PRAGMA application_id = ${APPLICATION_ID};`;
    transaction(() => database.exec(`${step};${stamps}`));
  }
}

function numberOf(database: DatabaseSync, pragma: string): number {
  return Number(database.prepare(`PRAGMA ${pragma}`).get()?.[pragma]);
}

function isEmpty(database: DatabaseSync): boolean {
  return database.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined;
}
