import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { NameKey } from '../../../lib/protocol/names.ts';
import { createMemoryStore } from '../../../lib/server/store/memory.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';
import { draft, drafts, ROOM, seqsOf } from './drafts.ts';
import { openStore, tidyUp } from './sqlite-store.ts';

const OTHER = 'other' as NameKey;

describe('search in a SQLite store', () => {
  test('finds what memory would, indexed or not', { timeout: 120_000 }, async () => {
    const words = [
      'alpha',
      'alphabet',
      'BETA',
      'béta',
      'be\u0301ta',
      'ﬁn',
      'fin',
      'straße',
      '日本',
      '日本語',
      '5',
      '55',
    ];
    const text = fc
      .array(fc.constantFrom(...words, '"', '*', 'AND', 'NEAR(', '-', ':'), { maxLength: 5 })
      .map((all) => all.join(' '));
    const query = fc.record({
      words: fc.array(fc.constantFrom(...words, 'a', 'al', 'ß', 'b', '"beta" OR', ')', 'x'.repeat(100)), {
        maxLength: 3,
      }),
      before: fc.option(fc.integer({ min: 1, max: 700 }), { nil: undefined }),
      limit: fc.integer({ min: 1, max: 9 }),
    });
    const texts = fc.array(fc.array(text, { minLength: 20, maxLength: 150 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(texts, fc.array(query, { minLength: 3, maxLength: 8 }), fc.constantFrom(200, 5_000), compare),
      { numRuns: 25 },
    );
  });

  test('keeps rooms apart also in the index', async () => {
    const { store, clock } = await start();
    for (const room of [ROOM, OTHER]) await store.append(drafts(1, 300, { room, body: `said in ${room}` }));
    await tidyUp(clock);
    const found = await store.search(OTHER, { words: ['said'], limit: 1_000 });
    expect(found.messages).toHaveLength(300);
    expect(found.messages.every(({ body, room }) => body === 'said in other' && room === OTHER)).toBe(true);
    expect((await store.search(OTHER, { words: ['builds'], limit: 9 })).messages).toEqual([]);
  });

  test('finds a word that is longer than the index has words, by its beginning', async () => {
    const { store, clock } = await start();
    const word = `${'long'.repeat(50)}😀`;
    await store.append([draft(1, { body: word }), ...drafts(2, 200)]);
    await tidyUp(clock);
    for (const wanted of [word, word.slice(0, 64), word.slice(0, 65), 'longlo']) {
      expect(seqsOf((await store.search(ROOM, { words: [wanted], limit: 9 })).messages)).toEqual([1]);
    }
    expect((await store.search(ROOM, { words: [`${word.slice(0, 70)}x`], limit: 9 })).messages).toEqual([]);
  });

  test('finds nothing in what is forgotten, nor in a room of the same name', async () => {
    const { store, clock } = await start();
    await store.append(drafts(1, 500, { body: 'needle' }));
    await tidyUp(clock);
    await store.forget(ROOM);
    await store.open(ROOM);
    await tidyUp(clock);
    await store.append(drafts(1, 200));
    await tidyUp(clock);
    expect(await store.search(ROOM, { words: ['needle'], limit: 9 })).toEqual({ messages: [], from: 1 });
  });

  test('reads no more than so many messages for one question, says how far it came, and goes on from there', async () => {
    const { store, clock } = await start({ keepMessages: 100_000 });
    // Both words are in every block and never in one message but the first.
    await store.append([draft(0, { body: 'one two' })]);
    for (let n = 1; n < 60_000; n += 2_000) {
      await store.append(drafts(n, 2_000).map((each, i) => ({ ...each, body: i % 2 === 0 ? 'one' : 'two' })));
    }
    await tidyUp(clock);
    let from = Number.POSITIVE_INFINITY;
    let questions = 0;
    for (let found: number[] = []; found.length === 0; questions += 1) {
      const answer = await store.search(ROOM, { words: ['one', 'two'], limit: 5, before: from });
      expect(answer.from).toBeLessThan(from);
      ({ from } = answer);
      found = seqsOf(answer.messages);
    }
    expect(from).toBe(1);
    expect(questions).toBeGreaterThan(2);
  });

  test('reads no more than so many bytes for one question either', async () => {
    const { store, clock } = await start({ keepMessages: 100_000 });
    const filler = 'z '.repeat(8_000);
    await store.append([draft(0, { body: 'one two' })]);
    const long = drafts(1, 1_024).map((each, i) => ({ ...each, body: `${filler}${i % 2 === 0 ? 'one' : 'two'}` }));
    for (let i = 0; i < long.length; i += 128) await store.append(long.slice(i, i + 128));
    await tidyUp(clock);
    const { from } = await store.search(ROOM, { words: ['one', 'two'], limit: 5 });
    expect(from).toBeGreaterThan(500);
    let reached = from;
    let found: number[] = [];
    while (found.length === 0 && reached > 1) {
      const answer = await store.search(ROOM, { words: ['one', 'two'], limit: 5, before: reached });
      expect(answer.from).toBeLessThan(reached);
      reached = answer.from;
      found = seqsOf(answer.messages);
    }
    expect(found).toEqual([1]);
  });
});

async function start(options: Parameters<typeof openStore>[0] = {}) {
  const clock = new ManualClock();
  const store = await openStore({ clock, ...options });
  for (const room of [ROOM, OTHER]) await store.open(room);
  return { clock, store };
}

/** Says the same to both stores, a part at a time, and asks both the same in between. */
async function compare(
  parts: readonly (readonly string[])[],
  queries: readonly { words: readonly string[]; before: number | undefined; limit: number }[],
  keepMessages: number,
): Promise<void> {
  const clock = new ManualClock();
  const options = { keepMessages, keepMs: 1e13, clock };
  const memory = createMemoryStore({ ...options, newIncarnation: () => randomBytes(8).toString('hex') });
  const store = await openStore(options);
  for (const each of [memory, store]) await each.open(ROOM);
  for (const bodies of parts) {
    for (const each of [memory, store]) await each.append(bodies.map((body, i) => draft(i, { body })));
    if (bodies.length % 2 === 0) await tidyUp(clock);
    for (const { before, ...rest } of queries) {
      const query = before === undefined ? rest : { ...rest, before };
      expect(await store.search(ROOM, query)).toEqual(await memory.search(ROOM, query));
    }
  }
  await store.close();
}
