import { expect } from 'vitest';
import type { MessageId } from '../../../lib/protocol/messages.ts';
import type { NameKey, UserName } from '../../../lib/protocol/names.ts';
import type { Appended, Draft, Store, StoredMessage } from '../../../lib/server/hub/ports.ts';
import { hex } from './redis-store.ts';

export const ROOM = 'builds' as NameKey;
const FINGERPRINT = `SHA256:${'A'.repeat(43)}`;

export function draft(body: string, rest: Partial<Draft> = {}): Draft {
  return {
    room: ROOM,
    id: `${hex()}${hex()}` as MessageId,
    isAgain: false,
    from: 'alice' as UserName,
    fp: FINGERPRINT,
    kind: 'text',
    body,
    ts: Date.now(),
    ...rest,
  };
}

/** What some speakers said and what they were told, in the order in which they were told. */
export interface Load {
  /** Told as stored so far. */
  readonly told: readonly Told[];
  /** Resolves when at least so many more were told. */
  more(count: number): Promise<void>;
  /** Lets each speaker finish what it has begun. */
  stop(): Promise<void>;
}

export interface Told extends Appended {
  readonly draft: Draft;
}

/** Speakers in one room, each of whom says the next thing, or the next few, when the last was stored. */
export function startLoad(store: Store, options: { readonly speakers?: number; readonly room?: NameKey } = {}): Load {
  const { speakers = 8, room = ROOM } = options;
  const told: Told[] = [];
  const waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  let isStopping = false;
  const speak = async (speaker: number): Promise<void> => {
    for (let n = 0; !isStopping; n += 1) {
      const drafts = Array.from({ length: 1 + (n % 3) }, (_, i) => draft(`${speaker} ${n} ${i}`, { room }));
      const answers = await store.append(drafts);
      told.push(...answers.map((answer, i) => ({ ...answer, draft: drafts[i] as Draft })));
      for (const each of waiting.filter(({ count }) => told.length >= count)) each.resolve();
    }
  };
  const running = Promise.all(Array.from({ length: speakers }, (_, i) => speak(i)));
  running.catch(() => undefined);
  return {
    told,
    async more(count) {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push({ count: told.length + count, resolve });
      await Promise.race([promise, running]);
    },
    async stop() {
      isStopping = true;
      await running;
    },
  };
}

/** The whole history of a room, a page at a time. */
export async function readAll(store: Store, room = ROOM): Promise<StoredMessage[]> {
  const all: StoredMessage[] = [];
  for (;;) {
    const page = await store.read(room, { after: all.at(-1)?.seq ?? 0, limit: 200 });
    if (page.length === 0) return all;
    all.push(...page);
  }
}

/** Where a message stands. */
export type Place = Pick<StoredMessage, 'id' | 'seq' | 'ts'>;

/** What was told, as history should have it. */
export function inOrder(told: readonly Told[]): Place[] {
  return told.map(({ seq, ts, draft: { id } }) => ({ id, seq, ts })).sort((a, b) => a.seq - b.seq);
}

/** More than any load says. */
export const keepMessages = 1_000_000;

/** Everything that was told is in history as it was told, once, without holes, and nothing else is. */
export function expectTold(history: readonly StoredMessage[], told: readonly Told[]): void {
  const expected = inOrder(told);
  // A few of thousands are enough to see what is wrong.
  expect(history.filter((_, i) => !isSame(history[i], expected[i])).slice(0, 3)).toEqual([]);
  expect(history.length).toBe(expected.length);
  expect(history.filter(({ seq }, i) => seq !== i + 1).slice(0, 3)).toEqual([]);
  expect(told.filter(({ isDuplicate }) => isDuplicate)).toEqual([]);
}

export function isSame(a: Place | undefined, b: Place | undefined): boolean {
  return a?.id === b?.id && a?.seq === b?.seq && a?.ts === b?.ts;
}
