import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { NameKey, UserName } from '../../lib/protocol/names.ts';
import type { Appended, Draft, PageQuery, SearchQuery, Store, StoredMessage } from '../../lib/server/hub/ports.ts';
import { ManualClock } from '../helpers/manual-clock.ts';

export interface StoreUnderTest {
  readonly keepMessages: number;
  readonly keepMs: number;
  readonly clock: ManualClock;
}

/** Makes an empty store of its own for one test; whatever it leaves behind is the caller's to remove when the test ends. */
export type CreateStore = (options: StoreUnderTest) => Store | Promise<Store>;

const ROOM = 'builds' as NameKey;
const OTHER_ROOM = 'straße-日本' as NameKey;
const MISSING_ROOM = 'missing' as NameKey;
const ALICE = `SHA256:${'A'.repeat(43)}`;
const BOB = `SHA256:${'B'.repeat(43)}`;

/** The contract of the Store port. Every implementation passes all of it. */
export function storeConformance(name: string, create: CreateStore): void {
  describe(`${name} as a store`, () => {
    rooms(create);
    appending(create);
    duplicates(create);
    time(create);
    keeping(create);
    paging(create);
    ageing(create);
    searching(create);
    forgetting(create);
  });
}

function rooms(create: CreateStore): void {
  test('opens a room without messages, with an incarnation of sixteen hex digits', async () => {
    const { store } = await fresh(create);
    const bounds = await store.open(ROOM);
    expect(bounds).toMatchObject({ first: 1, last: 0 });
    expect(bounds.incarnation).toMatch(/^[0-9a-f]{16}$/);
  });

  test('opens a room again as it is', async () => {
    const { store } = await fresh(create);
    const bounds = await store.open(ROOM);
    await store.append([draft(1)]);
    expect(await store.open(ROOM)).toEqual({ ...bounds, last: 1 });
    expect(await store.bounds(ROOM)).toEqual({ ...bounds, last: 1 });
  });

  test('gives rooms incarnations of their own', async () => {
    const { store } = await fresh(create);
    const [one, other] = [await store.open(ROOM), await store.open(OTHER_ROOM)];
    expect(one.incarnation).not.toBe(other.incarnation);
  });

  test('opens a room once, however many ask at the same time', async () => {
    const { store } = await fresh(create);
    const all = await Promise.all(Array.from({ length: 20 }, () => store.open(ROOM)));
    expect(new Set(all.map(({ incarnation }) => incarnation)).size).toBe(1);
  });

  test('knows nothing of a room that was never opened', async () => {
    const { store } = await fresh(create);
    expect(await store.bounds(MISSING_ROOM)).toBeNull();
    expect(await store.read(MISSING_ROOM, { limit: 10 })).toEqual([]);
    await expect(store.forget(MISSING_ROOM)).resolves.toBeUndefined();
  });

  test('says how many messages it keeps', async () => {
    expect(await create({ keepMessages: 7, keepMs: 9_000, clock: new ManualClock() })).toMatchObject({
      keepMessages: 7,
      keepMs: 9_000,
    });
  });
}

function appending(create: CreateStore): void {
  test('numbers messages from 1 without holes, in the order given', async () => {
    const { store, read } = await opened(create);
    const answers = [...(await store.append([draft(1), draft(2)])), ...(await store.append([draft(3)]))];
    expect(answers.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(answers.every(({ isDuplicate }) => !isDuplicate)).toBe(true);
    expect((await read()).map(({ body }) => body)).toEqual(['body 1', 'body 2', 'body 3']);
  });

  test('numbers each room by itself, also within one append', async () => {
    const { store } = await opened(create);
    const drafts = [draft(1), draft(2, { room: OTHER_ROOM }), draft(3), draft(4, { room: OTHER_ROOM })];
    expect(seqs(await store.append(drafts))).toEqual([1, 1, 2, 2]);
    expect((await store.read(OTHER_ROOM, { limit: 10 })).map(({ body }) => body)).toEqual(['body 2', 'body 4']);
  });

  test('takes an append of nothing', async () => {
    const { store } = await opened(create);
    expect(await store.append([])).toEqual([]);
  });

  test('leaves no hole and no double when appends overlap', async () => {
    const { store, read } = await opened(create);
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => store.append([draft(2 * i), draft(2 * i + 1)])),
    );
    const given = answers.flatMap(seqs);
    expect([...given].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
    // The two drafts of one append stand in their order.
    for (const pair of answers) expect(pair[0]?.seq).toBeLessThan(pair[1]?.seq ?? 0);
    expect((await read()).map(({ seq }) => seq)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
  });

  test('gives back what it was given, whatever the text', async () => {
    const { store, read } = await opened(create);
    const bodies = [
      '',
      ' ',
      '\u0000\u001b[31m',
      'ß 日本 👩‍👩‍👧 \u202e',
      '\uFEFFx',
      "'; drop table messages; --",
      'x'.repeat(65_536),
    ];
    const drafts = bodies.map((body, i) => draft(i, { body, kind: i % 2 === 0 ? 'text' : 'action' }));
    await store.append(drafts);
    expect(await read()).toEqual(drafts.map((each, i) => stored(each, i + 1)));
  });

  test('refuses drafts for a room that is not open, and then stores none of them', async () => {
    const { store, read } = await opened(create);
    const append = store.append([draft(1), draft(2, { room: MISSING_ROOM })]);
    await expect(append).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(await read()).toEqual([]);
    expect(seqs(await store.append([draft(1)]))).toEqual([1]);
  });
}

function duplicates(create: CreateStore): void {
  test('answers a resent id with what it answered first, and adds nothing', async () => {
    const { store, read } = await opened(create);
    const [first] = await store.append([draft(1, { ts: 1_000 })]);
    await store.append([draft(2, { ts: 2_000 })]);
    const again = draft(1, { ts: 3_000, body: 'another body' });
    expect(await store.append([again])).toEqual([{ seq: first?.seq, ts: 1_000, isDuplicate: true }]);
    expect((await read()).map(({ body }) => body)).toEqual(['body 1', 'body 2']);
    expect(seqs(await store.append([draft(3)]))).toEqual([3]);
  });

  test('recognises what comes again although it was new the first time', async () => {
    const { store } = await opened(create);
    await store.append([draft(1, { isAgain: false }), draft(2, { isAgain: false })]);
    expect(await store.append([draft(2)])).toMatchObject([{ seq: 2, isDuplicate: true }]);
  });

  test('recognises an id that comes twice in one append', async () => {
    const { store } = await opened(create);
    const answers = await store.append([draft(1), draft(1), draft(2)]);
    expect(seqs(answers)).toEqual([1, 1, 2]);
    expect(answers.map(({ isDuplicate }) => isDuplicate)).toEqual([false, true, false]);
  });

  test('takes the same id from another sender, and in another room, for another message', async () => {
    const { store } = await opened(create);
    const drafts = [draft(1), draft(1, { fp: BOB }), draft(1, { room: OTHER_ROOM })];
    const answers = await store.append(drafts);
    expect(answers.map(({ isDuplicate }) => isDuplicate)).toEqual([false, false, false]);
    expect(seqs(answers)).toEqual([1, 2, 1]);
  });

  test('stores without looking what does not come again', async () => {
    const { store } = await opened(create);
    const first = draft(1, { isAgain: false });
    expect(seqs(await store.append([first, draft(2), first]))).toEqual([1, 2, 3]);
    expect(await store.append([draft(2)])).toMatchObject([{ seq: 2, isDuplicate: true }]);
  });

  test('takes what is said to come again, and was never there, for new', async () => {
    const { store } = await opened(create);
    expect(await store.append([draft(1, { isAgain: true })])).toMatchObject([{ seq: 1, isDuplicate: false }]);
  });

  test('recognises both senders of one id when they resend it', async () => {
    const { store } = await opened(create);
    await store.append([draft(1), draft(1, { fp: BOB })]);
    const answers = await store.append([draft(1), draft(1, { fp: BOB }), draft(1)]);
    expect(answers.map(({ seq, isDuplicate }) => [seq, isDuplicate])).toEqual([
      [1, true],
      [2, true],
      [1, true],
    ]);
  });

  test('recognises a sender under another name', async () => {
    const { store } = await opened(create);
    await store.append([draft(1)]);
    expect(await store.append([draft(1, { from: 'alice2' as UserName })])).toMatchObject([
      { seq: 1, isDuplicate: true },
    ]);
  });

  test('recognises ids whose messages history no longer has', async () => {
    const { store } = await opened(create, 3);
    await store.append([draft(0)]);
    for (let i = 1; i <= 1_000; i += 100) await store.append(drafts(i, 100));
    expect(await store.append([draft(0)])).toMatchObject([{ seq: 1, isDuplicate: true }]);
    expect(await store.append([draft(1_000)])).toMatchObject([{ seq: 1_001, isDuplicate: true }]);
  });
}

function time(create: CreateStore): void {
  test('never lets time go back in a room', async () => {
    const { store, read } = await opened(create);
    const answers = await store.append([draft(1, { ts: 5_000 }), draft(2, { ts: 1_000 }), draft(3, { ts: 6_000 })]);
    expect(answers.map(({ ts }) => ts)).toEqual([5_000, 5_000, 6_000]);
    expect((await read()).map(({ ts }) => ts)).toEqual([5_000, 5_000, 6_000]);
    const [other] = await store.append([draft(4, { room: OTHER_ROOM, ts: 1_000 })]);
    expect(other?.ts).toBe(1_000);
  });

  test('finds messages by the time it gave them', async () => {
    const { store } = await opened(create);
    await store.append([draft(1, { ts: 5_000 }), draft(2, { ts: 1_000 }), draft(3, { ts: 6_000 })]);
    expect((await store.read(ROOM, { sinceMs: 5_000, limit: 10 })).map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect((await store.read(ROOM, { sinceMs: 5_001, limit: 10 })).map(({ seq }) => seq)).toEqual([3]);
  });
}

function keeping(create: CreateStore): void {
  test('keeps the newest messages and says which', async () => {
    const { store, read } = await opened(create, 5);
    for (let i = 1; i <= 23; i += 1) {
      await store.append([draft(i)]);
      expect(await store.bounds(ROOM)).toMatchObject({ first: Math.max(1, i - 4), last: i });
    }
    expect((await read()).map(({ seq }) => seq)).toEqual([19, 20, 21, 22, 23]);
  });

  test('keeps the newest also of an append that is larger than what is kept', async () => {
    const { store, read } = await opened(create, 5);
    expect(seqs(await store.append(drafts(1, 12)))).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
    expect((await read()).map(({ seq }) => seq)).toEqual([8, 9, 10, 11, 12]);
  });

  test('goes on numbering when it keeps nothing', async () => {
    const { store, read } = await opened(create, 0);
    expect(seqs(await store.append(drafts(1, 3)))).toEqual([1, 2, 3]);
    expect(await read()).toEqual([]);
    expect(await store.bounds(ROOM)).toMatchObject({ first: 4, last: 3 });
    expect(await store.append([draft(2)])).toMatchObject([{ seq: 2, isDuplicate: true }]);
  });
}

function paging(create: CreateStore): void {
  const pages: readonly (readonly [string, PageQuery, readonly number[]])[] = [
    ['the newest without a beginning', { limit: 3 }, [8, 9, 10]],
    ['the oldest after a seq', { after: 4, limit: 3 }, [5, 6, 7]],
    ['everything after 0', { after: 0, limit: 100 }, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]],
    ['nothing after the last', { after: 10, limit: 3 }, []],
    ['nothing after what is still to come', { after: 99, limit: 3 }, []],
    ['the newest before a seq', { before: 5, limit: 3 }, [2, 3, 4]],
    ['nothing before the first', { before: 1, limit: 3 }, []],
    ['everything before what is still to come', { before: 99, limit: 2 }, [9, 10]],
    ['the oldest between two seqs', { after: 2, before: 8, limit: 3 }, [3, 4, 5]],
    ['nothing between neighbours', { after: 4, before: 5, limit: 3 }, []],
    ['the newest since a time', { sinceMs: 7_000, limit: 3 }, [8, 9, 10]],
    ['the oldest after a seq and since a time', { after: 2, sinceMs: 6_000, limit: 2 }, [6, 7]],
    ['the newest since a time and before a seq', { sinceMs: 3_000, before: 9, limit: 100 }, [3, 4, 5, 6, 7, 8]],
    ['nothing since a time to come', { sinceMs: 10_001, limit: 3 }, []],
    ['nothing at a limit of 0', { limit: 0 }, []],
    ['nothing after a seq at a limit of 0', { after: 0, limit: 0 }, []],
  ];
  test.each(pages)('reads %s', async (_what, query, expected) => {
    const { store } = await opened(create);
    // A message a second, message n at n seconds.
    await store.append(drafts(1, 10));
    expect((await store.read(ROOM, query)).map(({ seq }) => seq)).toEqual(expected);
  });

  test('reads as a plain list would', { timeout: 60_000 }, async () => {
    const bound = fc.option(fc.nat({ max: 40 }), { nil: undefined });
    const query = fc.record({ after: bound, before: bound, sinceMs: bound, limit: fc.nat({ max: 12 }) });
    const steps = fc.array(fc.record({ ts: fc.nat({ max: 40 }), id: fc.nat({ max: 30 }) }), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: 12 }),
        steps,
        fc.array(query, { minLength: 3, maxLength: 8 }),
        async (keep, writes, queries) => {
          const { store } = await opened(create, keep);
          const model = new ListStore(keep);
          for (const { ts, id } of writes)
            expect(await store.append([draft(id, { ts })])).toEqual([model.append(draft(id, { ts }))]);
          for (const each of queries) expect(await store.read(ROOM, defined(each))).toEqual(model.read(defined(each)));
          await store.close();
        },
      ),
      { numRuns: 50 },
    );
  });
}

function ageing(create: CreateStore): void {
  test('no longer has what is older than it keeps', async () => {
    const { store, clock, read } = await opened(create, 100, 10_000);
    const nowMs = clock.nowMs();
    await store.append([draft(1, { ts: nowMs }), draft(2, { ts: nowMs + 5_000 })]);
    clock.advance(10_000);
    expect((await read()).map(({ seq }) => seq)).toEqual([1, 2]);
    clock.advance(1);
    expect((await read()).map(({ seq }) => seq)).toEqual([2]);
    expect(await store.bounds(ROOM)).toMatchObject({ first: 2, last: 2 });
    expect(await store.search(ROOM, { words: ['body'], limit: 10 })).toMatchObject({ from: 2, messages: [{ seq: 2 }] });
    clock.advance(5_000);
    expect(await read()).toEqual([]);
    expect(await store.bounds(ROOM)).toMatchObject({ first: 3, last: 2 });
    expect(seqs(await store.append([draft(3, { ts: clock.nowMs() })]))).toEqual([3]);
  });
}

function searching(create: CreateStore): void {
  const bodies = [
    'The build is green',
    'the BUILD is red',
    'nobody built anything',
    'Ein grüner Bau',
    'build the green one',
  ];
  const searches: readonly (readonly [string, SearchQuery, readonly number[]])[] = [
    ['a word without regard to case', { words: ['build'], limit: 10 }, [1, 2, 5]],
    ['all words, in any order', { words: ['green', 'build'], limit: 10 }, [1, 5]],
    ['the beginning of a word', { words: ['buil'], limit: 10 }, [1, 2, 3, 5]],
    ['letters of any script', { words: ['GRÜNER'], limit: 10 }, [4]],
    ['what may look like syntax', { words: ['"build" OR *'], limit: 10 }, []],
    ['several words in one', { words: ['is-red'], limit: 10 }, [2]],
    ['the newest up to the limit', { words: ['build'], limit: 2 }, [2, 5]],
    ['only what is before', { words: ['build'], before: 5, limit: 10 }, [1, 2]],
    ['nothing without words', { words: [], limit: 10 }, []],
    ['nothing in punctuation', { words: ['--'], limit: 10 }, []],
  ];
  test.each(searches)('finds %s', async (_what, query, expected) => {
    const { store } = await opened(create);
    await store.append(bodies.map((body, i) => draft(i + 1, { body })));
    await store.append([draft(9, { room: OTHER_ROOM, body: 'a green build elsewhere' })]);
    expect((await store.search(ROOM, query)).messages.map(({ seq }) => seq)).toEqual(expected);
  });

  test('finds messages whole, and says how far it looked', async () => {
    const { store } = await opened(create, 3);
    const all = [1, 2, 3, 4, 5].map((n) => draft(n, { body: `needle ${n}` }));
    await store.append(all);
    const found = await store.search(ROOM, { words: ['needle'], limit: 10 });
    expect(found.messages).toEqual(all.slice(2).map((each, i) => stored(each, i + 3)));
    expect(found.from).toBeLessThanOrEqual(3);
    expect(await store.search(MISSING_ROOM, { words: ['needle'], limit: 10 })).toMatchObject({ messages: [] });
  });
}

function forgetting(create: CreateStore): void {
  test('forgets a room with its numbers, its messages and its ids', async () => {
    const { store, read } = await opened(create);
    await store.append([draft(1), draft(2), draft(3, { room: OTHER_ROOM })]);
    await store.forget(ROOM);
    expect(await store.bounds(ROOM)).toBeNull();
    expect(await read()).toEqual([]);
    expect(await store.read(OTHER_ROOM, { limit: 10 })).toHaveLength(1);
    await expect(store.append([draft(4)])).rejects.toMatchObject({ code: 'INTERNAL' });
  });

  test('begins a forgotten room anew, under a new incarnation', async () => {
    const { store } = await opened(create);
    const before = await store.open(ROOM);
    await store.append([draft(1, { ts: 9_000 })]);
    await store.forget(ROOM);
    const after = await store.open(ROOM);
    expect(after).toMatchObject({ first: 1, last: 0 });
    expect(after.incarnation).not.toBe(before.incarnation);
    expect(await store.append([draft(1, { ts: 1_000 })])).toEqual([{ seq: 1, ts: 1_000, isDuplicate: false }]);
  });
}

/** The contract once more, as the simplest thing that keeps it. */
class ListStore {
  readonly #keep: number;
  readonly #all: StoredMessage[] = [];

  constructor(keep: number) {
    this.#keep = keep;
  }

  append(each: Draft): Appended {
    const known = this.#all.find(({ id, fp }) => id === each.id && fp === each.fp);
    if (known !== undefined) return { seq: known.seq, ts: known.ts, isDuplicate: true };
    const ts = Math.max(each.ts, this.#all.at(-1)?.ts ?? 0);
    const seq = this.#all.length + 1;
    this.#all.push({ ...stored(each, seq), ts });
    return { seq, ts, isDuplicate: false };
  }

  read({ after, before, sinceMs, limit }: PageQuery): StoredMessage[] {
    const kept = this.#all.slice(Math.max(0, this.#all.length - this.#keep));
    const found = kept.filter(
      ({ seq, ts }) =>
        (after === undefined || seq > after) && (before === undefined || seq < before) && ts >= (sinceMs ?? 0),
    );
    if (after !== undefined) return found.slice(0, limit);
    return limit === 0 ? [] : found.slice(-limit);
  }
}

async function fresh(create: CreateStore, keepMessages = 1_000, keepMs = 1e13) {
  const clock = new ManualClock();
  const store = await create({ keepMessages, keepMs, clock });
  return { store, clock, read: () => store.read(ROOM, { after: 0, limit: 1_000 }) };
}

async function opened(create: CreateStore, keepMessages = 1_000, keepMs = 1e13) {
  const made = await fresh(create, keepMessages, keepMs);
  await made.store.open(ROOM);
  await made.store.open(OTHER_ROOM);
  return made;
}

function stored({ room, id, from, fp, kind, body, ts }: Draft, seq: number): StoredMessage {
  return { room, id, from, fp, kind, body, ts, seq };
}

/** Unless told otherwise, of a sender who does not know whether it was stored before. */
function draft(n: number, rest: Partial<Draft> = {}): Draft {
  const id = n.toString(16).padStart(32, '0');
  return {
    room: ROOM,
    id,
    isAgain: true,
    from: 'alice' as UserName,
    fp: ALICE,
    kind: 'text',
    body: `body ${n}`,
    ts: n * 1_000,
    ...rest,
  };
}

function drafts(from: number, count: number): Draft[] {
  return Array.from({ length: count }, (_, i) => draft(from + i));
}

function seqs(answers: readonly Appended[]): number[] {
  return answers.map(({ seq }) => seq);
}

function defined(query: { [K in keyof PageQuery]: PageQuery[K] | undefined }): PageQuery {
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined)) as unknown as PageQuery;
}
