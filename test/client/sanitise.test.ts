import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sanitiseLine } from '../../lib/client/sanitise.ts';

describe('sanitiseLine', () => {
  test.each([
    ['plain text, as it is', 'plain text, as it is'],
    ['Grüße 你好 🎉 👩‍👩‍👧 e\u0301', 'Grüße 你好 🎉 👩‍👩‍👧 e\u0301'],
    ['\u001b[2J\u001b]0;title\u0007', '\\x1b[2J\\x1b]0;title\\x07'],
    ['a\u009b31mb', 'a\\x9b31mb'],
    ['del\u007f', 'del\\x7f'],
    ['one\r\ntwo', 'one\\r\\ntwo'],
    ['tab\there', 'tab    here'],
    ['x\u202egpj.exe', 'x\\u202egpj.exe'],
    ['\u2066a\u2069\u200e\u200f\u061c', '\\u2066a\\u2069\\u200e\\u200f\\u061c'],
    ['line\u2028paragraph\u2029nel\u0085', 'line\\u2028paragraph\\u2029nel\\x85'],
    ['lone \ud83d and \udc00 but 🎉', 'lone \\ud83d and \\udc00 but 🎉'],
    ['\ufff9a\ufffab\ufffb', '\\ufff9a\\ufffab\\ufffb'],
  ])('%j becomes %j', (text, safe) => {
    expect(sanitiseLine(text)).toBe(safe);
  });

  test('leaves no control character, bidi control or lone surrogate, and changes nothing twice', () => {
    const unsafe = /[\p{Cc}\p{Cs}\p{Bidi_Control}\u2028\u2029]/u;
    const spice = fc.constantFrom('\u001b[31m', '\u202e', '\ud800', '\udfff', '\u0000', '\n', '\u0090');
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string({ unit: 'binary' }), spice)), (parts) => {
        const safe = sanitiseLine(parts.join(''));
        expect(safe).not.toMatch(unsafe);
        expect(sanitiseLine(safe)).toBe(safe);
      }),
    );
  });
});
