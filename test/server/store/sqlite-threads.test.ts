import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkFile } from '../../../lib/server/store/sqlite/database.ts';
import { scratchDir } from '../../helpers/scratch-dir.ts';
import { draft, drafts, ROOM, readAll, seqsOf } from './drafts.ts';
import { openStore } from './sqlite-store.ts';

describe('a SQLite store with its threads', () => {
  test('does what one without does, and what was answered is there for whoever asks next', async () => {
    const store = await openStore({ hasThreads: true });
    const { incarnation } = await store.open(ROOM);
    for (let n = 1; n <= 200; n += 1) {
      const [answer] = await store.append([draft(n)]);
      expect(answer).toMatchObject({ seq: n, isDuplicate: false });
      expect(seqsOf(await store.read(ROOM, { limit: 1 }))).toEqual([n]);
    }
    expect(await store.bounds(ROOM)).toEqual({ incarnation, first: 1, last: 200 });
    expect(seqsOf((await store.search(ROOM, { words: ['199'], limit: 9 })).messages)).toEqual([199]);
    const version = await store.put('account', 'alice', { x: [1] });
    expect(await store.get('account', 'alice')).toEqual({ key: 'alice', value: { x: [1] }, version });
    expect(await store.list('account', { limit: 9 })).toHaveLength(1);
    await store.forget(ROOM);
    expect(await readAll(store)).toEqual([]);
  });

  test('answers many questions at once, each with its own answer', async () => {
    const store = await openStore({ hasThreads: true });
    await store.open(ROOM);
    const appends = Array.from({ length: 50 }, (_, i) => store.append(drafts(i * 10, 10)));
    const seqs = (await Promise.all(appends)).flat().map(({ seq }) => seq);
    expect(seqs).toEqual(Array.from({ length: 500 }, (_, i) => i + 1));
    const pages = await Promise.all(seqs.map((seq) => store.read(ROOM, { after: seq - 1, limit: 1 })));
    expect(pages.flatMap(seqsOf)).toEqual(seqs);
  });

  test('says why the file cannot be used, and that it was closed', async () => {
    const dataDir = scratchDir();
    const store = await openStore({ dataDir, hasThreads: true });
    await expect(openStore({ dataDir, hasThreads: true })).rejects.toMatchObject({
      code: 'CONFIG',
      message: expect.stringContaining('in use by another'),
    });
    await store.close();
    await store.close();
    await expect(store.open(ROOM)).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(await (await openStore({ dataDir, hasThreads: true })).open(ROOM)).toMatchObject({ last: 0 });
  });
});

describe('a backup', () => {
  test.each([true, false])(
    'is a whole store of its moment, made while messages come (threads: %s)',
    async (hasThreads) => {
      const [dataDir, elsewhere] = [scratchDir(), scratchDir()];
      const store = await openStore({ dataDir, hasThreads, keepMessages: 10_000 });
      const { incarnation } = await store.open(ROOM);
      await store.append(drafts(1, 1_000));
      const copy = join(elsewhere, 'bcast.db');
      const [, ...answers] = await Promise.all([
        store.backup?.(copy),
        ...Array.from({ length: 100 }, (_, i) => store.append([draft(1_001 + i)])),
      ]);
      expect(answers.flat()).toHaveLength(100);
      expect(statSync(copy).mode & 0o777).toBe(0o600);
      checkFile(copy);

      const restored = await openStore({ dataDir: elsewhere, keepMessages: 10_000 });
      const { last, ...rest } = await restored.open(ROOM);
      expect(rest).toEqual({ incarnation, first: 1 });
      expect(last).toBeGreaterThanOrEqual(1_000);
      const there = await readAll(restored);
      expect(there).toEqual((await readAll(store)).slice(0, last));
    },
  );

  test('overwrites nothing, and leaves nothing behind when it fails', async () => {
    const elsewhere = scratchDir();
    const store = await openStore({ hasThreads: true });
    const there = join(elsewhere, 'there');
    writeFileSync(there, 'mine');
    await expect(store.backup?.(there)).rejects.toMatchObject({
      code: 'OUTPUT_FAILED',
      message: `${there} is there already, and a backup overwrites nothing.`,
    });
    expect(statSync(there).size).toBe(4);
    await expect(store.backup?.(join(elsewhere, 'missing', 'x'))).rejects.toMatchObject({ code: 'OUTPUT_FAILED' });
  });

  test('that is damaged is told from one that is whole', async () => {
    const elsewhere = scratchDir();
    const store = await openStore();
    await store.open(ROOM);
    await store.append(drafts(1, 2_000));
    await store.bounds(ROOM);
    const copy = join(elsewhere, 'copy.db');
    await store.backup?.(copy);
    const bytes = Buffer.alloc(8_192, 7);
    writeFileSync(copy, bytes, { flag: 'r+' });
    expect(() => checkFile(copy)).toThrow(/is damaged/);
  });
});
