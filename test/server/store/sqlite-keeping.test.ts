import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import type { NameKey } from '../../../lib/protocol/names.ts';
import { encodeBatch } from '../../../lib/server/store/sqlite/entries.ts';
import { openWriter } from '../../../lib/server/store/sqlite/writer.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';
import { scratchDir } from '../../helpers/scratch-dir.ts';
import { draft, drafts, ROOM, readAll, seqsOf } from './drafts.ts';
import { openStore, tidyUp } from './sqlite-store.ts';

const OTHER = 'other' as NameKey;

describe('a SQLite store', () => {
  test('takes away what it does not keep, the index with it', async () => {
    const { dataDir, store, clock } = await start({ keepMessages: 5_000 });
    for (let n = 1; n <= 20_000; n += 1_000) {
      await store.append(drafts(n, 1_000));
      await tidyUp(clock);
    }
    const { messages, blocks } = look(dataDir);
    expect(messages).toBeLessThanOrEqual(5_000 + 384);
    expect(messages).toBeGreaterThanOrEqual(5_000);
    expect(blocks).toBeLessThanOrEqual(Math.ceil(5_384 / 128) + 1);
    expect(blocks).toBeGreaterThan(30);
    expect(await store.bounds(ROOM)).toMatchObject({ first: 15_001, last: 20_000 });
    expect(seqsOf(await store.read(ROOM, { limit: 3, before: 15_003 }))).toEqual([15_001, 15_002]);
  });

  test('keeps of what is only remembered the ids and not what was said', async () => {
    const { dataDir, store, clock } = await start({ keepMessages: 10 });
    for (let n = 1; n <= 9_000; n += 500) {
      await store.append(drafts(n, 500, { body: 'hush-hush' }));
      await tidyUp(clock);
    }
    const { messages, bodies } = look(dataDir);
    expect(messages).toBeGreaterThanOrEqual(4_096);
    expect(messages).toBeLessThanOrEqual(4_096 + 512);
    expect(bodies).toBeLessThanOrEqual(10 + 384);
  });

  test('writes nothing of what was said when it keeps nothing', async () => {
    const { dataDir, store, clock } = await start({ keepMessages: 0 });
    await store.append(drafts(1, 100));
    expect(look(dataDir).journalled).toBe(100);
    expect(look(dataDir).bodies).toBe(0);
    await tidyUp(clock);
    await store.append(drafts(101, 300));
    await tidyUp(clock);
    expect(look(dataDir)).toMatchObject({ messages: 400, bodies: 0, journalled: 0 });
    await store.close();
    const again = await openStore({ dataDir, keepMessages: 1_000 });
    expect(await again.open(ROOM)).toMatchObject({ first: 401, last: 400 });
    await again.append([draft(401)]);
    expect(seqsOf(await readAll(again))).toEqual([401]);
  });

  test('does not show again what it let go when it is told to keep more', async () => {
    const { dataDir, store, clock } = await start({ keepMessages: 100 });
    await store.append(drafts(1, 1_000));
    await tidyUp(clock);
    await store.close();
    const again = await openStore({ dataDir, keepMessages: 10_000 });
    const { first } = await again.open(ROOM);
    const kept = await readAll(again);
    expect(seqsOf(kept)).toEqual(Array.from({ length: 1_001 - first }, (_, i) => first + i));
    expect(kept.every(({ seq, body }) => body === `body ${seq}`)).toBe(true);
    expect(kept.length).toBeLessThan(500);
  });

  test('lets go of what has become too old where nobody says anything', async () => {
    const clock = new ManualClock();
    const { dataDir, store } = await start({ keepMs: 3_600_000, clock });
    await store.retain(ROOM, true);
    await store.append(drafts(1, 200, { ts: clock.nowMs() }));
    await tidyUp(clock);
    await store.close();
    const again = await openStore({ dataDir, keepMs: 3_600_000, clock });
    clock.advance(3_600_000);
    await tidyUp(clock);
    clock.advance(600_000);
    await tidyUp(clock);
    expect(look(dataDir)).toMatchObject({ messages: 200, bodies: 0, blocks: 0 });
    expect(await again.append([draft(200, { isAgain: true })])).toMatchObject([{ seq: 200, isDuplicate: true }]);
  });

  test('removes records that have ended', async () => {
    const { dataDir, store, clock } = await start();
    await store.put('ban', 'mallory', 1, { expiresMs: clock.nowMs() + 1_000 });
    await store.put('ban', 'oscar', 1);
    clock.advance(600_000);
    await tidyUp(clock);
    expect(look(dataDir).records).toBe(1);
  });

  test('leaves nothing of a room that is forgotten', async () => {
    const { dataDir, store, clock } = await start({ keepMessages: 100_000 });
    await store.put('room', ROOM, { topic: 'x' });
    for (let n = 1; n <= 40_000; n += 2_000) await store.append(drafts(n, 2_000));
    await tidyUp(clock);
    await store.append(drafts(1, 3));
    await store.open(OTHER);
    await store.append([draft(1, { room: OTHER })]);
    await store.forget(ROOM);
    expect(await store.bounds(ROOM)).toBeNull();
    await tidyUp(clock);
    expect(look(dataDir)).toEqual({ rooms: 1, messages: 1, bodies: 1, blocks: 0, records: 0, journalled: 0 });
    await store.forget(OTHER);
    await tidyUp(clock);
    expect(look(dataDir)).toEqual({ rooms: 0, messages: 0, bodies: 0, blocks: 0, records: 0, journalled: 0 });
  });
});

test('a store that is closed in the middle of its housekeeping leaves nothing in the journal', () => {
  const dataDir = scratchDir();
  const path = join(dataDir, 'bcast.db');
  const writer = openWriter({ path, keepMessages: 1_000, keepMs: 1e13, isSynced: false });
  const say = (prefix: string) => {
    const rooms = Array.from({ length: 100 }, (_, i) => `${prefix}-${i}` as NameKey);
    for (const room of rooms) writer.open(room, 0);
    writer.append(encodeBatch(rooms.map((room) => draft(1, { room }))));
  };
  say('before');
  writer.beginUpkeep(false);
  expect(writer.upkeep(0)).toBe(true);
  say('since');
  writer.close();
  expect(look(dataDir)).toMatchObject({ rooms: 200, messages: 200, journalled: 0 });
});

describe('a room that is not retained', () => {
  test('is forgotten some time after a start at which nobody comes back to it', async () => {
    const { dataDir, store, clock } = await start({ emptyRoomTtl: 5_000 });
    const rooms = ['left', 'opened', 'retained', 'retained-no-more'] as NameKey[];
    for (const room of rooms) await store.open(room);
    await store.retain('retained' as NameKey, true);
    await store.retain('retained-no-more' as NameKey, true);
    await store.retain('retained-no-more' as NameKey, false);
    await store.close();

    const again = await openStore({ dataDir, emptyRoomTtl: 5_000, clock });
    await again.open('opened' as NameKey);
    await again.open('new' as NameKey);
    clock.advance(4_999);
    await tidyUp(clock, 0);
    expect(await again.bounds('left' as NameKey)).not.toBeNull();
    clock.advance(1);
    await tidyUp(clock, 0);
    const there = await Promise.all(
      [...rooms, 'new' as NameKey].map(async (room) => (await again.bounds(room)) !== null),
    );
    expect(there).toEqual([false, true, true, false, true]);
  });
});

async function start(options: Parameters<typeof openStore>[0] = {}) {
  const [clock, dataDir] = [new ManualClock(), scratchDir()];
  const store = await openStore({ clock, dataDir, ...options });
  await store.open(ROOM);
  return { clock, dataDir, store };
}

/** What really lies in the file. */
function look(dataDir: string) {
  const database = new DatabaseSync(join(dataDir, 'bcast.db'), { readOnly: true });
  const count = (sql: string): number => Number(Object.values(database.prepare(sql).get() ?? {})[0] ?? 0);
  const entries = [...database.prepare('SELECT entries FROM chunks').iterate()].map(
    (row) => row['entries'] as Uint8Array,
  );
  const parts = [...database.prepare('SELECT parts FROM journal').iterate()].map((row) => row['parts'] as Uint8Array);
  const found = {
    rooms: count('SELECT count(*) FROM rooms'),
    messages: count('SELECT sum(last - (id & 0xfffffffff) + 1) FROM chunks'),
    blocks: count('SELECT count(*) FROM words'),
    records: count('SELECT count(*) FROM records'),
    bodies: [...entries, ...parts].reduce((sum, bytes) => sum + occurrences(bytes, /body \d+|hush-hush/g), 0),
    journalled: parts.reduce((sum, bytes) => sum + occurrences(bytes, /SHA256:/g), 0),
  };
  database.close();
  return found;
}

function occurrences(bytes: Uint8Array, pattern: RegExp): number {
  return Buffer.from(bytes).toString('latin1').match(pattern)?.length ?? 0;
}
