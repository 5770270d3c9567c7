import { closeSync, fsyncSync, openSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { BcastError } from '../../../errors.ts';
import { checkFile } from './database.ts';

/** What a thread that copies the file can be asked. */
export interface CopierCalls {
  /** Throws OUTPUT_FAILED, and then there is no such file, or the one that was there before. */
  copy(target: string): void;
  close(): void;
}

/** Copies a file that a writer has opened, as it is when that begins; others read and write meanwhile. */
export function createCopier({ path }: { readonly path: string }): CopierCalls {
  return {
    copy(target) {
      reserve(target);
      try {
        copyInto(path, target);
        flush(target);
        checkFile(target);
      } catch (error) {
        rmSync(target, { force: true });
        throw failure(target, error);
      }
    },
    close() {},
  };
}

/** An empty file that only this account can read; it must not be there yet. */
function reserve(target: string): void {
  try {
    closeSync(openSync(target, 'wx', 0o600));
  } catch (error) {
    throw failure(target, error);
  }
}

function copyInto(path: string, target: string): void {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    database.prepare('VACUUM INTO ?').run(target);
  } finally {
    database.close();
  }
}

function flush(path: string): void {
  const file = openSync(path, 'r+');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function failure(target: string, cause: unknown): BcastError {
  const { code, errstr } = cause as { readonly code?: string; readonly errstr?: string };
  const text =
    code === 'EEXIST'
      ? `${target} is there already, and a backup overwrites nothing.`
      : `${target} cannot be written (${errstr ?? code}).`;
  return new BcastError('OUTPUT_FAILED', { text, cause });
}
