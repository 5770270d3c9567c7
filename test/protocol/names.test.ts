import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nameKey, requireRoomName, requireUserName, toRoomName, toUserName } from '../../lib/protocol/names.ts';

describe('a name', () => {
  const ACCEPTED: readonly (readonly [what: string, text: string, name: string])[] = [
    ['one letter', 'a', 'a'],
    ['letters, digits and _ - .', 'Al_1c-e.9', 'Al_1c-e.9'],
    ['fifty characters', 'x'.repeat(50), 'x'.repeat(50)],
    ['fifty characters of four bytes each', '\u{20000}'.repeat(50), '\u{20000}'.repeat(50)],
    ['letters of any script', 'Жанна_日本_שלום_สวัสดี', 'Жанна_日本_ש\u05DCום_สวัสดี'.normalize('NFKC')],
    ['digits of any script', '٣४', '٣४'],
    ['a composed letter', 'é', 'é'],
    ['a letter and its accent, as the one letter they are', 'e\u0301', 'é'],
    ['full-width letters, as plain ones', 'Ａｌｉｃｅ１', 'Alice1'],
    ['a ligature, as its letters', 'ﬁn', 'fin'],
    ['marks that belong to the script', 'हिन्दी', 'हिन्दी'],
    ['three marks on a letter', 'x\u0332\u0323\u0301', 'x\u0332\u0323\u0301'.normalize('NFKC')],
  ];
  test.each(ACCEPTED)('may be %s', (_what, text, name) => {
    expect(toUserName(text)).toBe(name);
    expect(toRoomName(text)).toBe(name);
  });

  const REFUSED: readonly (readonly [what: string, text: string])[] = [
    ['nothing', ''],
    ['a space', 'a b'],
    ['a space that does not break', 'a\u00A0b'],
    ['fifty-one characters', 'x'.repeat(51)],
    ['fifty-one characters of four bytes each', '\u{20000}'.repeat(51)],
    ['fifty characters that are more when normalised', 'ﬁ'.repeat(26)],
    ['a newline', 'a\nb'],
    ['a zero byte', 'a\u0000b'],
    ['an escape sequence', '\u001b[31mred'],
    ['the one-character form of an escape sequence', '\u009b31m'],
    ['a right-to-left override', 'a\u202eb'],
    ['a bidi isolate', '\u2066a\u2069'],
    ['a left-to-right mark', 'a\u200eb'],
    ['a zero-width space', 'a\u200bb'],
    ['a zero-width joiner', 'a\u200db'],
    ['a byte order mark', '\uFEFFa'],
    ['a soft hyphen', 'a\u00adb'],
    ['a Hangul filler', 'a\u3164'],
    ['a Hangul choseong filler', '\u115F'],
    ['a half-width Hangul filler', 'a\uFFA0'],
    ['a variation selector', 'a\uFE0F'],
    ['a combining grapheme joiner', 'a\u034F'],
    ['a tag character', 'a\u{E0061}'],
    ['an emoji', '😀'],
    ['a family', '👩‍👩‍👧'],
    ['a flag', '🇩🇪'],
    ['a keycap', '1\uFE0F\u20E3'],
    ['a mark alone', '\u0301'],
    ['a mark in front', '\u0301a'],
    ['four marks on a letter', 'a\u0332\u0323\u0331\u0330'],
    ['a mark behind an emoji', '😀\u0301'],
    ['a lone surrogate', 'a\ud800'],
    ['a private-use character', '\ue000'],
    ['an unassigned character', '\u0378'],
    ['a slash', 'a/b'],
    ['an at sign', '@a'],
    ['quotes', '"a"'],
    ['a full-width slash', 'a／b'],
    ['a number in a circle that normalises to one in brackets', '⑴'],
    ['an Arabic ligature that normalises to words with spaces', '\ufdfa'],
    ['a line separator', 'a\u2028b'],
    ['a Braille blank', '\u2800'],
  ];
  test.each(REFUSED)('may not hold %s', (_what, text) => {
    expect(toUserName(text)).toBeNull();
    expect(toRoomName(text)).toBeNull();
  });

  test('of a room may be written with the # of IRC, once', () => {
    expect(toRoomName('#lobby')).toBe('lobby');
    expect(toRoomName('##lobby')).toBeNull();
    expect(toRoomName('#')).toBeNull();
    expect(toUserName('#alice')).toBeNull();
  });

  test('is refused with the rule, and never with raw control characters', () => {
    expect(() => requireUserName('a\u001b[31m')).toThrow(
      expect.objectContaining({ code: 'NAME_INVALID', message: expect.stringContaining('1 to 50') }),
    );
    expect(() => requireRoomName('a b')).toThrow(expect.objectContaining({ code: 'ROOM_NAME_INVALID' }));
    try {
      requireUserName('\u001b]0;x\u0007\u009b');
    } catch (error) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there.
      expect((error as Error).message).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
    }
  });

  test('that was accepted is accepted again, unchanged', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const name = toUserName(text);
        if (name === null) return;
        expect(toUserName(name)).toBe(name);
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(200);
        expect([...name].length).toBeLessThanOrEqual(50);
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('two names are the same', () => {
  const SAME: readonly (readonly string[])[] = [
    ['alice', 'Alice', 'ALICE', 'ａｌｉｃｅ'],
    ['straße', 'STRASSE', 'strasse', 'STRAẞE'],
    ['σας', 'ΣΑΣ', 'σασ'],
    ['éa', 'E\u0301A'],
    ['istanbul', 'ISTANBUL', 'ıstanbul'],
    ['ǆ', 'Ǆ', 'ǅ'],
    ['ꭰ', 'Ꭰ'],
    ['kelvin', '\u212Aelvin'],
    ['ᾳ', 'ᾼ'],
  ];
  test.each(SAME.map((names) => [names]))('whatever their case: %j', (names) => {
    const keys = names.map((name) => nameKey(requireUserName(name)));
    expect(new Set(keys).size).toBe(1);
  });

  test('but not when their letters differ', () => {
    const names = ['bob', 'b0b', 'вов', 'b.ob', 'b-ob', 'b_ob', 'böb', 'İ', 'i'];
    expect(new Set(names.map((name) => nameKey(requireUserName(name)))).size).toBe(names.length);
  });

  test('in every case a name can be put into', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const name = toUserName(text);
        if (name === null) return;
        const key = nameKey(name);
        for (const variant of [name.toLowerCase(), name.toUpperCase(), key, name.toUpperCase().toLowerCase()]) {
          const same = toUserName(variant);
          if (same !== null) expect(nameKey(same)).toBe(key);
        }
      }),
      { numRuns: 5_000 },
    );
  });

  test('for every single letter there is', () => {
    const wrong: string[] = [];
    for (let codePoint = 0; codePoint < 0x11_0000; codePoint += 1) {
      const name = toUserName(String.fromCodePoint(codePoint));
      if (name === null) continue;
      const key = nameKey(name);
      const variants = [name.toLowerCase(), name.toUpperCase(), key].map(toUserName);
      if (variants.some((variant) => variant !== null && nameKey(variant) !== key)) wrong.push(codePoint.toString(16));
      if (/\p{C}|\p{Default_Ignorable_Code_Point}|\s/u.test(name)) wrong.push(codePoint.toString(16));
    }
    expect(wrong).toEqual([]);
  });
});

/** Mostly what names are made of, so that enough of it is accepted. */
const letters = fc.constantFrom(...'aZß ẞİıσςΣéʼnǅ1_.-日ـهि\u0301\u0323\u200d\u3164ﬁＡ🙂');
const anyText = fc.oneof(
  fc.string({ unit: letters, maxLength: 12 }),
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.string({ unit: 'grapheme', maxLength: 8 }),
);
