import fc from 'fast-check';
import { expect, test } from 'vitest';
import { matcherOf, wordsOf } from '../../../lib/server/store/words.ts';

/** Word by word, as it is meant. */
function hasAll(words: readonly string[], text: string): boolean {
  const wanted = words.flatMap(wordsOf);
  const there = wordsOf(text);
  return wanted.length > 0 && wanted.every((word) => there.some((each) => each.startsWith(word)));
}

test('a text matches when each of the words is one of its words or the beginning of one', () => {
  const word = fc.stringMatching(/^[abß😀é]{1,4}$/u);
  const line = fc.array(word, { maxLength: 8 }).map((all) => all.join(' '));
  fc.assert(
    fc.property(fc.array(line, { maxLength: 3 }), line, (words, text) => {
      expect(matcherOf(words)(text)).toBe(hasAll(words, text));
    }),
    { numRuns: 2_000 },
  );
  expect(matcherOf(['al', 'alpha', 'AL'])('Alphabet')).toBe(true);
  expect(matcherOf(['alphabets'])('alphabet')).toBe(false);
  expect([matcherOf([])('x'), matcherOf(['"*('])('x')]).toEqual([false, false]);
});
