import { closeSync, openSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { isPrivate } from '../../../config/private-file.ts';
import { BcastError } from '../../../errors.ts';
import { migrate, versionOf } from './migrations.ts';

/** How long a statement waits for another connection of this process, in milliseconds. */
const BUSY_TIMEOUT_MS = 10_000;

/**
 * How long the write-ahead log may grow, in pages of 4 KiB. The thread that reads copies it into the file again and again,
 * but under load never all of it, and only then does it begin anew: the thread that writes does the small rest.
 */
const MAX_LOG_PAGES = 16_384;

/** A log that has grown longer after all, behind a backup for example, is cut back to this. */
const MAX_IDLE_LOG_BYTES = MAX_LOG_PAGES * 4_096;

/** SQLite's primary result codes. */
const [BUSY, CORRUPT, NOT_A_DATABASE] = [5, 11, 26];

/**
 * Opens the file for the one thread that writes, makes it when it is not there, and brings it to the newest version.
 * Throws CONFIG for a file that others may read, that a newer bcast wrote, or that is none of ours.
 */
export function openForWriting(path: string, isSynced: boolean): DatabaseSync {
  makePrivate(path);
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
  try {
    // Before anything is written to it.
    versionOf(database, path);
    useLog(database, path);
    database.exec(`
      PRAGMA synchronous = ${isSynced ? 'FULL' : 'NORMAL'};
      PRAGMA wal_autocheckpoint = ${MAX_LOG_PAGES};
      PRAGMA journal_size_limit = ${MAX_IDLE_LOG_BYTES};
      PRAGMA secure_delete = FAST;
      PRAGMA cache_size = -16384;
    `);
    migrate(database, path, createTransaction(database));
    return database;
  } catch (error) {
    database.close();
    throw explained(error, path);
  }
}

function useLog(database: DatabaseSync, path: string): void {
  const { journal_mode: mode } = database.prepare('PRAGMA journal_mode = WAL').get() ?? {};
  if (mode === 'wal') return;
  throw new BcastError('CONFIG', { text: `${path} is on a file system that SQLite cannot use; take a local one.` });
}

/** Opens a file that `openForWriting` has opened, for another thread, which may read and copy the log into the file. */
export function openForReading(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
  database.exec('PRAGMA query_only = ON; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -16384;');
  return database;
}

/**
 * Takes the data directory for this process. The lock is SQLite's own on a file beside the store, so the system lets go of
 * it when the process dies, however it dies. Throws CONFIG when another process has it.
 */
export function lockStore(path: string): DatabaseSync {
  const lockPath = `${path}-lock`;
  makePrivate(lockPath);
  const lock = new DatabaseSync(lockPath, { timeout: 0 });
  try {
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock.close();
    if (!isSqlite(error, BUSY)) throw explained(error, lockPath);
    throw new BcastError('CONFIG', {
      text: `${path} is in use by another bcast server; give this one a directory of its own with --data-dir.`,
    });
  }
}

/** Does some work in a certain way. */
export type Doing = <T>(work: () => T) => T;

/**
 * Lets the disk take its time with what is written: for what only brings in order what it has already. The disk has all
 * of it when it has what is written next.
 */
export function createLazily(database: DatabaseSync, isSynced: boolean): Doing {
  if (!isSynced) return (work) => work();
  let depth = 0;
  return (work) => {
    depth += 1;
    if (depth === 1) database.exec('PRAGMA synchronous = NORMAL');
    try {
      return work();
    } finally {
      depth -= 1;
      if (depth === 0) database.exec('PRAGMA synchronous = FULL');
    }
  };
}

/** Does `work` in one transaction: all of it or, when it throws, nothing. */
export function createTransaction(database: DatabaseSync): Doing {
  const [begin, commit, rollback] = ['BEGIN IMMEDIATE', 'COMMIT', 'ROLLBACK'].map((sql) => database.prepare(sql));
  return (work) => {
    begin?.run();
    try {
      const result = work();
      commit?.run();
      return result;
    } catch (error) {
      // A full disk may have ended the transaction already.
      if (database.isTransaction) rollback?.run();
      throw error;
    }
  };
}

/** Checks that a copy of the store opens and is whole. Throws CONFIG. */
export function checkFile(path: string): void {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    versionOf(database, path);
    const [found] = database.prepare('PRAGMA quick_check(1)').all();
    if (found?.['quick_check'] !== 'ok') throw new BcastError('CONFIG', { text: `${path} is damaged.` });
  } catch (error) {
    throw explained(error, path);
  } finally {
    database.close();
  }
}

function makePrivate(path: string): void {
  closeSync(openSync(path, 'a', 0o600));
  if (isPrivate(statSync(path))) return;
  throw new BcastError('CONFIG', { text: `${path} can be read by others; make it yours alone: chmod 600 ${path}` });
}

function explained(error: unknown, path: string): unknown {
  if (!isSqlite(error, CORRUPT) && !isSqlite(error, NOT_A_DATABASE)) return error;
  return new BcastError('CONFIG', {
    text: `${path} is damaged or no database at all. Restore a backup, or move it away to start with nothing.`,
    cause: error,
  });
}

function isSqlite(error: unknown, code: number | undefined): boolean {
  // The lowest byte is the primary result code; what is above tells variants apart.
  return (Number((error as { errcode?: number }).errcode) & 0xff) === code;
}
