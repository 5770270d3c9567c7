import { expect, test } from 'vitest';
import { createRandom, makeQuery, sentence, wordOf } from '../../bench/stock/words.ts';

test('no word is another, or its beginning: a search finds what its rank says', () => {
  const words = Array.from({ length: 50_000 }, (_, rank) => wordOf(rank));
  expect(new Set(words).size).toBe(50_000);
  expect(new Set(words.map(({ length }) => length))).toEqual(new Set([6]));
});

test('common words are common and rare ones are rare', () => {
  const random = createRandom(1);
  const messages = Array.from({ length: 5_000 }, () => sentence(random));
  const share = (kind: 'common' | 'rare') => {
    const { words } = makeQuery(kind, random);
    return messages.filter((message) => message.includes(words)).length / messages.length;
  };
  for (let i = 0; i < 20; i += 1) {
    expect(share('common')).toBeGreaterThan(0.03);
    expect(share('rare')).toBeLessThan(0.002);
  }
});

test('the same seed says the same', () => {
  expect(sentence(createRandom(7))).toBe(sentence(createRandom(7)));
  expect(sentence(createRandom(7))).not.toBe(sentence(createRandom(8)));
});
