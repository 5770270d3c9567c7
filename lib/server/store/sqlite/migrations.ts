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
