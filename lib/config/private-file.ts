import { chmodSync, existsSync, linkSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

let drafts = 0;

/**
 * Writes a file that only this account can read, if it is not there yet. It appears whole or not at all: of two processes
 * that do so at once one wins, and the other is told false. Throws the system's error.
 */
export function createPrivateFile(path: string, content: string): boolean {
  const draft = writeDraft(path, content);
  try {
    // Unlike a rename, a link fails where something is.
    linkSync(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Puts a file that only this account can read in the place of what is there. Nobody sees half of it. Throws the system's error. */
export function replacePrivateFile(path: string, content: string): void {
  const draft = writeDraft(path, content);
  try {
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

/** Whether a file or directory, as `stat` tells it, belongs to this account and is closed to all others. */
export function isPrivate({ mode, uid }: { readonly mode: number; readonly uid: number }): boolean {
  // Windows keeps no owner or mode here; its profile directories are private by themselves.
  if (process.getuid === undefined) return true;
  return uid === process.getuid() && (mode & 0o077) === 0;
}

/**
 * Makes the directory, and those above it that are missing, for this account alone. Throws the system's error. Node's own
 * recursive mkdir never returns where the system says of a new directory that it is not there, as /proc does.
 */
export function makePrivateDirectory(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && statSync(path).isDirectory()) return;
    const parent = dirname(path);
    if (code !== 'ENOENT' || parent === path || existsSync(parent)) throw error;
    makePrivateDirectory(parent);
    makePrivateDirectory(path);
  }
}

/**
 * Makes the directory as `makePrivateDirectory` does, and closes one that is there to all others: it may have been made by
 * hand. Throws the system's error, which it has for a directory of somebody else.
 */
export function closePrivateDirectory(path: string): void {
  makePrivateDirectory(path);
  if (!isPrivate(statSync(path))) chmodSync(path, 0o700);
}

function writeDraft(path: string, content: string): string {
  makePrivateDirectory(dirname(path));
  drafts += 1;
  const draft = `${path}.${process.pid}.${drafts}`;
  // What stands there can only be from a process that had our number and died in the middle.
  rmSync(draft, { force: true });
  writeFileSync(draft, content, { mode: 0o600, flag: 'wx', flush: true });
  return draft;
}
