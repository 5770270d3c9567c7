import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { glyphsOf, nextBoundary, previousBoundary, widthOf } from '../../../lib/client/tui/glyphs.ts';
import { cutText, fitRow, plainText, rowWidth, spreadRow } from '../../../lib/client/tui/rows.ts';
import { DIM, type Row, span, TEXT } from '../../../lib/client/tui/style.ts';
import { wrapRow } from '../../../lib/client/tui/wrap.ts';

/** Everything that breaks terminals: wide, joined, combining, right-to-left, controls, halves of pairs. */
const anyText = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }),
  fc
    .array(
      fc.constantFrom(
        'a',
        ' ',
        'word ',
        '日本',
        '👍🏽',
        '👨‍👩‍👧‍👦',
        '🇩🇪',
        '❤️',
        'e\u0301',
        '\u0301',
        'שלום',
        '\u202e',
        '\x1b[2J',
        '\x9b',
        '\ud800',
        '\u200d',
        'क्षि',
        '…',
        '─',
      ),
    )
    .map((parts) => parts.join('')),
);
const UNSAFE = /[\p{Cc}\p{Cs}\p{Bidi_Control}\u2028\u2029]/u;

describe('glyphs', () => {
  test.each([
    ['a', 1],
    ['', 0],
    ['日', 2],
    ['e\u0301', 1],
    ['👍', 2],
    ['👍🏽', 2],
    ['👨‍👩‍👧‍👦', 2],
    ['🇩🇪', 2],
    ['❤️', 2],
    ['ש', 1],
    ['\u200b', 0],
    ['─', 1],
  ])('%j takes %i columns', (text, width) => {
    expect(widthOf(text)).toBe(width);
  });

  test('hold no control character and never none of the columns they say', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        for (const glyph of glyphsOf(text)) {
          expect(glyph.text).not.toMatch(UNSAFE);
          expect(glyph.width).toBeGreaterThan(0);
        }
        expect(widthOf(text)).toBe(glyphsOf(text).reduce((sum, { width }) => sum + width, 0));
      }),
    );
  });

  test('a tower of marks is cut to a few', () => {
    expect(glyphsOf(`a${'\u0301'.repeat(100)}`)[0]?.text).toHaveLength(5);
  });

  test('a mark with nothing to stand on gets something', () => {
    expect(glyphsOf('\u0301')).toEqual([{ text: '\u25cc\u0301', width: 1 }]);
  });

  test('stepping goes from boundary to boundary, and back the same way', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (text) => {
        const stops = [0];
        while ((stops.at(-1) as number) < text.length) stops.push(nextBoundary(text, stops.at(-1) as number));
        const back = [text.length];
        while ((back.at(-1) as number) > 0) back.push(previousBoundary(text, back.at(-1) as number));
        expect(back.toReversed()).toEqual(stops);
      }),
    );
  });
});

describe('rows', () => {
  test.each([
    ['hello world', 5, 'hell…'],
    ['hello', 5, 'hello'],
    ['日本語', 4, '日…'],
    ['日本語', 5, '日本…'],
    ['abc', 0, ''],
    ['abc', 1, '…'],
  ])('%j cut to %i is %j', (text, width, cut) => {
    expect(cutText(text, width)).toBe(cut);
  });

  test('fitted are exactly as wide as asked', () => {
    fc.assert(
      fc.property(
        fc.array(anyText, { maxLength: 4 }),
        anyText,
        fc.integer({ min: 1, max: 80 }),
        (texts, right, width) => {
          const row: Row = texts.map((text, index) => span(text, index % 2 === 0 ? TEXT : DIM));
          expect(rowWidth(fitRow(row, width))).toBe(width);
          expect(rowWidth(spreadRow(row, [span(right, DIM)], width))).toBe(width);
        },
      ),
    );
  });
});

describe('wrapping', () => {
  const wrapped = (text: string, width: number): string[] => wrapRow([span(text, TEXT)], width).map(plainText);

  test.each([
    ['the quick brown fox', 10, ['the quick', 'brown fox']],
    ['the quick  brown', 10, ['the quick', 'brown']],
    ['    indented text here', 14, ['    indented', '    text here']],
    ['         far indented text', 14, ['         far', 'indented text']],
    ['  - an item of a list', 15, ['  - an item of', '    a list']],
    ['-dash and more words', 12, ['-dash and', 'more words']],
    ['unbreakablewordthatislong', 10, ['unbreakabl', 'ewordthati', 'slong']],
    ['a unbreakableword', 10, ['a', 'unbreakabl', 'eword']],
    ['日本語のテキスト', 6, ['日本語', 'のテキ', 'スト']],
    ['日本語。です', 6, ['日本', '語。で', 'す']],
    ['ab日本', 5, ['ab日', '本']],
    ['', 10, ['']],
    ['👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦', 4, ['👨‍👩‍👧‍👦👨‍👩‍👧‍👦', '👨‍👩‍👧‍👦']],
    ['日', 1, ['?']],
    [' a\u{1f3fb}', 3, [' ', 'a\u{1f3fb}']],
  ])('%j at %i', (text, width, rows) => {
    expect(wrapped(text, width)).toEqual(rows);
  });

  test('never makes a row too wide, loses no ink, and keeps every style', () => {
    fc.assert(
      fc.property(fc.array(anyText, { maxLength: 5 }), fc.integer({ min: 2, max: 60 }), (texts, width) => {
        const row: Row = texts.map((text, index) => span(text, index % 2 === 0 ? TEXT : DIM));
        const rows = wrapRow(row, width);
        for (const one of rows) expect(rowWidth(one)).toBeLessThanOrEqual(width);
        const ink = (all: readonly Row[], style: typeof TEXT): string =>
          all
            .flatMap((one) =>
              one.flatMap((piece) => (piece.style === style ? glyphsOf(piece.text).map((glyph) => glyph.text) : [])),
            )
            .join('')
            .replaceAll(' ', '');
        // What is wider than the row becomes a question mark; nothing of two columns or less is.
        if (!rows.some((one) => plainText(one).includes('?'))) {
          expect(ink(rows, TEXT)).toBe(ink([row], TEXT));
          expect(ink(rows, DIM)).toBe(ink([row], DIM));
        }
      }),
    );
  });
});
