import { linkSync, mkdirSync, readFileSync, rmSync, statSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** How often a waiter looks again. */
const POLL_MS = 100;

/** How often the holder shows that it lives, and after how long without it the lock counts as left behind. */
const HEARTBEAT_MS = 5_000;
const SILENT_MS = 60_000;

/** Breaking a lock takes microseconds; a breaker this old died in the middle of it. */
const BREAKER_MS = 10_000;

/**
 * Runs `work` while no other process that asks for the same lock file does. A holder that died is noticed at once on
 * the same machine (its process id is gone), and after a minute without a heartbeat elsewhere.
 *
 * @template T
 * @param {string} path the lock file; its directory is made
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(path, work) {
  mkdirSync(dirname(path), { recursive: true });
  while (!tryTake(path)) {
    breakIfLeftBehind(path);
    await delay(POLL_MS);
  }
  const heartbeat = setInterval(() => touch(path), HEARTBEAT_MS);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    if (isOurs(path)) rmSync(path, { force: true });
  }
}

/**
 * A link appears with its content or not at all, so nobody ever reads a lock without an owner.
 *
 * @param {string} path
 * @returns {boolean}
 */
function tryTake(path) {
  const mine = `${path}.${process.pid}`;
  writeFileSync(mine, JSON.stringify({ pid: process.pid, host: hostname() }));
  try {
    linkSync(mine, path);
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(mine, { force: true });
  }
}

/**
 * Only one process at a time may remove a dead lock, and it looks again once it is the one: otherwise the second of two
 * waiters would remove the lock that the first has just taken.
 *
 * @param {string} path
 */
function breakIfLeftBehind(path) {
  if (!isLeftBehind(path)) return;
  const breaker = `${path}.break`;
  if (tryTake(breaker)) {
    if (isLeftBehind(path)) rmSync(path, { force: true });
    unlinkSync(breaker);
  } else if (ageMs(breaker) > BREAKER_MS) {
    rmSync(breaker, { force: true });
  }
}

/**
 * @param {string} path
 * @returns {boolean}
 */
function isLeftBehind(path) {
  if (ageMs(path) > SILENT_MS) return true;
  const owner = ownerOf(path);
  return owner?.host === hostname() && !isAlive(owner.pid);
}

/**
 * @param {string} path
 * @returns {boolean}
 */
function isOurs(path) {
  const owner = ownerOf(path);
  return owner?.host === hostname() && owner.pid === process.pid;
}

/**
 * @param {string} path
 * @returns {{ pid: number, host: string } | undefined} undefined when it is gone or unreadable
 */
function ownerOf(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * @param {number} pid
 * @returns {boolean}
 */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}

/**
 * @param {string} path
 * @returns {number}
 */
function ageMs(path) {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats === undefined ? 0 : Date.now() - stats.mtimeMs;
}

/** @param {string} path */
function touch(path) {
  const now = new Date();
  try {
    utimesSync(path, now, now);
  } catch {
    // Somebody took us for dead, after a long sleep of the machine. The work goes on; at worst it is done twice.
  }
}
