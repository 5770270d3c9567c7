import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { withLock } from '../../setup/lock.mjs';
import { scratchDirectory, startNode } from './scratch.ts';

const lockModule = new URL('../../setup/lock.mjs', import.meta.url).href;

/** A process that takes the lock, says so and keeps it. */
const HOLDER = `
  const { withLock } = await import(${JSON.stringify(lockModule)});
  await withLock(process.argv[1], async () => {
    console.log('taken');
    await new Promise(() => setInterval(() => {}, 1000));
  });`;

function deadPid(): number {
  return spawnSync(process.execPath, ['-e', '']).pid;
}

describe('withLock', () => {
  test('lets one at a time in, and gives back what the work returns', async () => {
    const path = join(scratchDirectory(), 'sub', 'lock');
    let inside = 0;
    const work = async () => {
      inside += 1;
      expect(inside).toBe(1);
      await new Promise((resolve) => setImmediate(resolve));
      inside -= 1;
      return 'done';
    };
    expect(await Promise.all([withLock(path, work), withLock(path, work), withLock(path, work)])).toEqual([
      'done',
      'done',
      'done',
    ]);
    expect(existsSync(path)).toBe(false);
  });

  test('is released when the work throws', async () => {
    const path = join(scratchDirectory(), 'lock');
    await expect(withLock(path, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(existsSync(path)).toBe(false);
  });

  test('keeps others out while another process holds it, and lets them in when that one is killed', async () => {
    const dir = scratchDirectory();
    const path = join(dir, 'lock');
    const holder = startNode(['--input-type=module', '-e', HOLDER, path], process.env, dir);
    await holder.stdoutMatching(/taken/);
    const order: string[] = [];
    const waiting = withLock(path, async () => void order.push('entered'));
    order.push('killed');
    holder.child.kill('SIGKILL');
    await waiting;
    expect(order).toEqual(['killed', 'entered']);
  });

  test('is taken by one of many that find a dead holder', async () => {
    const path = join(scratchDirectory(), 'lock');
    writeFileSync(path, JSON.stringify({ pid: deadPid(), host: hostname() }));
    let inside = 0;
    const work = async () => {
      inside += 1;
      expect(inside).toBe(1);
      await new Promise((resolve) => setImmediate(resolve));
      inside -= 1;
    };
    await Promise.all(Array.from({ length: 8 }, () => withLock(path, work)));
  });

  test('is not taken from a holder on another machine until it has been silent for a minute', async () => {
    const path = join(scratchDirectory(), 'lock');
    const theirs = JSON.stringify({ pid: deadPid(), host: 'elsewhere.example' });
    writeFileSync(path, theirs);
    let hasEntered = false;
    const waiting = withLock(path, async () => {
      hasEntered = true;
    });
    expect(hasEntered).toBe(false);
    expect(readFileSync(path, 'utf8')).toBe(theirs);
    const longAgo = new Date(Date.now() - 61_000);
    utimesSync(path, longAgo, longAgo);
    await waiting;
    expect(hasEntered).toBe(true);
  });
});
