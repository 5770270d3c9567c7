/**
 * What keeping messages in SQLite costs: `node bench/sqlite-store.ts DIRECTORY [SECONDS]`, in a directory on the disk that is
 * meant. Says what it measured as tables: acknowledged messages a second, the time until a round is acknowledged, the CPU of all
 * threads; and what the journal saves.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../lib/clock.ts';
import type { NameKey, UserName } from '../lib/protocol/names.ts';
import type { Draft, Store } from '../lib/server/hub/ports.ts';
import { createMemoryStore } from '../lib/server/store/memory.ts';
import { encodeBatch } from '../lib/server/store/sqlite/entries.ts';
import { openWriter } from '../lib/server/store/sqlite/writer.ts';
import { openSqliteStore } from '../lib/server/store/sqlite.ts';

const KEEP = { keepMessages: 10_000, keepMs: 30 * 86_400_000 };
const BODY = 'x'.repeat(128);
const FP = `SHA256:${'A'.repeat(43)}`;
const FROM = 'alice' as UserName;

/** Rooms, and the messages of one round, which go to them in turn. */
const LOADS = [
  { rooms: 1, round: 1 },
  { rooms: 1, round: 100 },
  { rooms: 1_000, round: 1_000 },
] as const;

const STORES: Readonly<Record<string, (dataDir: string) => Promise<Store>>> = {
  memory: async () =>
    createMemoryStore({ ...KEEP, clock: systemClock, newIncarnation: () => randomBytes(8).toString('hex') }),
  second: (dataDir) => sqlite(dataDir, false),
  always: (dataDir) => sqlite(dataDir, true),
};

function sqlite(dataDir: string, isSynced: boolean): Promise<Store> {
  const onFailure = (error: unknown): void => console.error(error);
  return openSqliteStore({ ...KEEP, clock: systemClock, dataDir, emptyRoomTtl: 600_000, isSynced, onFailure });
}

function draftFor(room: NameKey): Draft {
  const id = randomBytes(16).toString('hex');
  return { room, id, isAgain: false, from: FROM, fp: FP, kind: 'text', body: BODY, ts: systemClock.nowMs() };
}

function roomNames(count: number): NameKey[] {
  return Array.from({ length: count }, (_, i) => `room${i}` as NameKey);
}

async function appending(store: Store, { rooms, round }: (typeof LOADS)[number], seconds: number): Promise<object> {
  const names = roomNames(rooms);
  for (const room of names) await store.open(room);
  const times: number[] = [];
  const [began, cpu] = [performance.now(), process.cpuUsage()];
  while (performance.now() - began < seconds * 1_000) {
    const drafts = Array.from({ length: round }, (_, i) => draftFor(names[i % rooms] as NameKey));
    const sent = performance.now();
    await store.append(drafts);
    times.push(performance.now() - sent);
  }
  const elapsedMs = performance.now() - began;
  const { user, system } = process.cpuUsage(cpu);
  const messages = times.length * round;
  times.sort((a, b) => a - b);
  return {
    rooms,
    round,
    'messages/s': Math.round((messages / elapsedMs) * 1_000),
    'p50 ms': times[Math.floor(times.length / 2)]?.toFixed(3),
    'p99 ms': times[Math.floor(times.length * 0.99)]?.toFixed(3),
    'CPU us/message': ((user + system) / messages).toFixed(1),
  };
}

/** The writer alone, in this thread: a message in each of a thousand rooms, with and without its chunks being written at once. */
function writing(dataDir: string, isSettled: boolean, seconds: number): object {
  const writer = openWriter({ ...KEEP, path: join(dataDir, 'bcast.db'), isSynced: false });
  const names = roomNames(1_000);
  for (const room of names) writer.open(room, systemClock.nowMs());
  let rounds = 0;
  let busyMs = 0;
  for (const began = performance.now(); performance.now() - began < seconds * 1_000; rounds += 1) {
    const batch = encodeBatch(names.map(draftFor));
    const sent = performance.now();
    writer.append(batch);
    if (isSettled) for (const room of names) writer.settle(room);
    busyMs += performance.now() - sent;
  }
  writer.close();
  return { chunks: isSettled ? 'at once' : 'later', 'ms a round': (busyMs / rounds).toFixed(2) };
}

async function inScratch<T>(parent: string, work: (dataDir: string) => T | Promise<T>): Promise<T> {
  const dataDir = mkdtempSync(join(parent, 'bcast-bench-'));
  try {
    return await work(dataDir);
  } finally {
    rmSync(dataDir, { recursive: true });
  }
}

const [directory, seconds = '3'] = process.argv.slice(2);
if (directory === undefined) throw new Error('Say in which directory, on the disk that is meant.');
for (const load of LOADS) {
  const rows: object[] = [];
  for (const [name, open] of Object.entries(STORES)) {
    await inScratch(directory, async (dataDir) => {
      const store = await open(dataDir);
      rows.push({ store: name, ...(await appending(store, load, Number(seconds))) });
      await store.close();
    });
  }
  console.table(rows);
}
const rows: object[] = [];
for (const isSettled of [false, true])
  rows.push(await inScratch(directory, (dataDir) => writing(dataDir, isSettled, Number(seconds))));
console.table(rows);
