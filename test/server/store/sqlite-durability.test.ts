import { cpSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { NameKey } from '../../../lib/protocol/names.ts';
import type { Appended, Store, StoredMessage } from '../../../lib/server/hub/ports.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';
import { scratchDir } from '../../helpers/scratch-dir.ts';
import { draft, drafts, ROOM, readAll, storedOf } from './drafts.ts';
import { openStore } from './sqlite-store.ts';

describe('a SQLite store that is opened again', () => {
  test('has what it had: rooms, messages, ids, records', async () => {
    const dataDir = scratchDir();
    const store = await openStore({ dataDir });
    const { incarnation } = await store.open(ROOM);
    const all = drafts(1, 300);
    const answers = await store.append(all);
    const version = (await store.put('account', 'alice', { name: 'ä' })) as number;
    await store.close();

    const again = await openStore({ dataDir });
    expect(await again.open(ROOM)).toEqual({ incarnation, first: 1, last: 300 });
    expect(await readAll(again)).toEqual(all.map((each, i) => storedOf(each, answers[i] as never)));
    expect(await again.append([draft(7, { isAgain: true }), draft(301)])).toMatchObject([
      { seq: 7, isDuplicate: true },
      { seq: 301, isDuplicate: false },
    ]);
    expect(await again.get('account', 'alice')).toEqual({ key: 'alice', value: { name: 'ä' }, version });
    expect(await again.put('account', 'alice', 1)).toBeGreaterThan(version);
  });

  test('never lets time go back', async () => {
    const dataDir = scratchDir();
    const store = await openStore({ dataDir });
    await store.open(ROOM);
    await store.append([draft(1, { ts: 9_000 })]);
    await store.close();
    expect(await (await openStore({ dataDir })).append([draft(2, { ts: 1_000 })])).toMatchObject([{ ts: 9_000 }]);
  });

  test('knows the newest 4,096 ids of a room, and what it keeps beyond', async () => {
    const dataDir = scratchDir();
    const store = await openStore({ dataDir, keepMessages: 10 });
    await store.open(ROOM);
    for (let n = 1; n <= 5_000; n += 250) await store.append(drafts(n, 250));
    await store.close();
    const again = await openStore({ dataDir, keepMessages: 10 });
    const [oldest, newest] = await again.append([draft(905, { isAgain: true }), draft(5_000, { isAgain: true })]);
    expect(oldest).toEqual({ seq: 905, ts: 905_000, isDuplicate: true });
    expect(newest).toEqual({ seq: 5_000, ts: 5_000_000, isDuplicate: true });
  });
});

describe('a SQLite store whose process is killed', () => {
  test('has everything that was acknowledged, whatever was done and left undone', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(STEPS, fc.constantFrom(0, 5, 300), async (steps, keepMessages) => {
        const session = await Session.start(keepMessages);
        for (const { act, n } of steps) await session[act](n);
        await session.end();
      }),
      { numRuns: 60 },
    );
  });

  test('does not bring back a room that was forgotten, under whatever name its number is used again', async () => {
    const dataDir = scratchDir();
    const store = await openStore({ dataDir });
    await store.open(ROOM);
    await store.append(drafts(1, 3));
    await store.release(ROOM);
    await store.forget(ROOM);
    const other = 'other' as NameKey;
    await store.open(other);
    const again = await openStore({ dataDir: killed(dataDir) });
    expect(await again.bounds(ROOM)).toBeNull();
    expect(await again.open(other)).toMatchObject({ first: 1, last: 0 });
    expect(await readAll(again, other)).toEqual([]);
  });
});

/** What a kill leaves: the files as they are while they are still open. */
function killed(dataDir: string): string {
  const copy = scratchDir();
  cpSync(dataDir, copy, { recursive: true });
  return copy;
}

const ACTS = [
  'append',
  'append',
  'append',
  'scatter',
  'scatter',
  'again',
  'read',
  'release',
  'forget',
  'tidy',
  'kill',
] as const;
const STEPS = fc.array(fc.record({ act: fc.constantFrom(...ACTS), n: fc.nat({ max: 99 }) }), {
  minLength: 5,
  maxLength: 60,
});
const ROOMS = 4;
const nameOf = (n: number): NameKey => `room-${n % ROOMS}` as NameKey;

/** A store, whatever happens to it, and what its answers promised. */
class Session {
  readonly #clock: ManualClock;
  readonly #keepMessages: number;
  readonly #rooms = new Map<NameKey, { readonly incarnation: string; readonly messages: StoredMessage[] }>();
  #dataDir: string;
  #store: Store;
  #said = 0;

  private constructor(keepMessages: number, clock: ManualClock, dataDir: string, store: Store) {
    this.#keepMessages = keepMessages;
    this.#clock = clock;
    this.#dataDir = dataDir;
    this.#store = store;
  }

  static async start(keepMessages: number): Promise<Session> {
    const [clock, dataDir] = [new ManualClock(), scratchDir()];
    return new Session(keepMessages, clock, dataDir, await openStore({ dataDir, keepMessages, clock }));
  }

  /** Some messages in a row in one room. */
  append(n: number): Promise<void> {
    return this.#say(Array.from({ length: n + 1 }, () => nameOf(n)));
  }

  /** Messages in all rooms by turns, as one write. */
  scatter(n: number): Promise<void> {
    return this.#say(Array.from({ length: n + 1 }, (_, i) => nameOf(i)));
  }

  /** A message that was acknowledged comes again. */
  async again(n: number): Promise<void> {
    const { messages = [] } = this.#rooms.get(nameOf(n)) ?? {};
    const old = messages[n % Math.max(1, messages.length)];
    if (old === undefined) return;
    const answers = await this.#store.append([{ ...old, isAgain: true }]);
    expect(answers).toEqual([{ seq: old.seq, ts: old.ts, isDuplicate: true }]);
  }

  async read(n: number): Promise<void> {
    const known = this.#rooms.get(nameOf(n));
    const { incarnation, messages = [] } = known ?? {};
    const kept = messages.slice(Math.max(0, messages.length - this.#keepMessages));
    const last = messages.length;
    const bounds = { incarnation, first: last - kept.length + 1, last };
    expect(await this.#store.bounds(nameOf(n))).toEqual(known === undefined ? null : bounds);
    expect(await readAll(this.#store, nameOf(n))).toEqual(kept);
  }

  async release(n: number): Promise<void> {
    await this.#store.release(nameOf(n));
  }

  async forget(n: number): Promise<void> {
    await this.#store.forget(nameOf(n));
    this.#rooms.delete(nameOf(n));
  }

  /** Lets the housekeeping begin, and perhaps end. */
  async tidy(n: number): Promise<void> {
    this.#clock.advance(10_000);
    for (let i = 0; i < n % 8; i += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  async kill(): Promise<void> {
    const left = killed(this.#dataDir);
    await this.#store.close();
    this.#dataDir = left;
    this.#store = await openStore({ dataDir: left, keepMessages: this.#keepMessages, clock: this.#clock });
  }

  async end(): Promise<void> {
    for (let i = 0; i < ROOMS; i += 1) await this.read(i);
    await this.#store.close();
  }

  async #say(rooms: readonly NameKey[]): Promise<void> {
    for (const room of new Set(rooms)) {
      const { incarnation } = await this.#store.open(room);
      const known = this.#rooms.get(room) ?? { incarnation, messages: [] };
      expect(incarnation).toBe(known.incarnation);
      this.#rooms.set(room, known);
    }
    const all = rooms.map((room, i) => draft(this.#said + i, { room }));
    this.#said += all.length;
    const answers = await this.#store.append(all);
    for (const [i, each] of all.entries()) {
      const answer = answers[i] as Appended;
      const { messages = [] } = this.#rooms.get(each.room) ?? {};
      expect(answer).toMatchObject({ seq: messages.length + 1, isDuplicate: false });
      messages.push(storedOf(each, answer));
    }
  }
}
