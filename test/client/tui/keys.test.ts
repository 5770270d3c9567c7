import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeKeys, flushKeys, isEscapePending, type KeyEvent, NO_KEYS } from '../../../lib/client/tui/keys.ts';

const utf8 = new TextEncoder();

/** What these chunks are, and what is left waiting flushed at the end. */
function decode(chunks: readonly Uint8Array[]): KeyEvent[] {
  let state = NO_KEYS;
  const events: KeyEvent[] = [];
  for (const chunk of chunks) {
    const [next, found] = decodeKeys(state, chunk);
    state = next;
    events.push(...found);
  }
  events.push(...flushKeys(state)[1]);
  return joined(events);
}

/** Text that came in pieces, as one. */
function joined(events: readonly KeyEvent[]): KeyEvent[] {
  const all: KeyEvent[] = [];
  for (const event of events) {
    const last = all.at(-1);
    if (event.type === 'text' && last?.type === 'text')
      all[all.length - 1] = { type: 'text', text: last.text + event.text };
    else all.push(event);
  }
  return all;
}

const bytewise = (bytes: Uint8Array): Uint8Array[] => [...bytes].map((byte) => Uint8Array.of(byte));
const key = (name: string): KeyEvent => ({ type: 'key', name });
const text = (typed: string): KeyEvent => ({ type: 'text', text: typed });

const CASES: readonly (readonly [string, readonly KeyEvent[]])[] = [
  ['hello', [text('hello')]],
  ['é日👍🏽', [text('é日👍🏽')]],
  ['a\rb', [text('a'), key('enter'), text('b')]],
  ['\n', [key('C-j')]],
  ['\t', [key('tab')]],
  ['\x7f', [key('backspace')]],
  ['\b', [key('backspace')]],
  ['\x01\x05\x0b\x15\x17\x19\x14', ['C-a', 'C-e', 'C-k', 'C-u', 'C-w', 'C-y', 'C-t'].map(key)],
  ['\x00\x1c\x1d\x1e\x1f', ['C-space', 'C-\\', 'C-]', 'C-^', 'C-_'].map(key)],
  ['\x1b[A\x1b[B\x1b[C\x1b[D', ['up', 'down', 'right', 'left'].map(key)],
  ['\x1bOA\x1bOB\x1bOC\x1bOD', ['up', 'down', 'right', 'left'].map(key)],
  ['\x1b[H\x1b[F\x1b[1~\x1b[4~\x1b[7~\x1b[8~', ['home', 'end', 'home', 'end', 'home', 'end'].map(key)],
  ['\x1b[3~\x1b[5~\x1b[6~\x1b[2~', ['delete', 'pageup', 'pagedown', 'insert'].map(key)],
  ['\x1bOP\x1b[11~\x1b[[A\x1b[15~\x1b[24~', ['f1', 'f1', 'f1', 'f5', 'f12'].map(key)],
  ['\x1b[Z', [key('S-tab')]],
  ['\x1b[1;5D\x1b[1;3C\x1b[1;2A\x1b[5;5~\x1b[1;7H', ['C-left', 'M-right', 'S-up', 'C-pageup', 'C-M-home'].map(key)],
  ['\x1bb\x1bf\x1bd\x1b1\x1b\r\x1b\x7f', ['M-b', 'M-f', 'M-d', 'M-1', 'M-enter', 'M-backspace'].map(key)],
  ['\x1bé\x1b👍', ['M-é', 'M-👍'].map(key)],
  ['\x1b\x03', [key('C-M-c')]],
  ['\x1b\x1b[A', [key('M-up')]],
  ['\x1b[13;2u\x1b[27;2;13~\x1b[97;5u', ['S-enter', 'S-enter', 'C-a'].map(key)],
  ['\x1b', [key('escape')]],
  ['\x1b\x1b', [key('escape'), key('escape')]],
  ['\x1b[', [key('M-[')]],
  ['\x1bO', [key('M-O')]],
  ['\x1b[I\x1b[O', []],
  ['\x1b[<0;10;10Mx\x1b[?1;2cy', [text('xy')]],
  ['\x1bOM', [key('enter')]],
  ['\x1b[200~one\rtwo\r\nthree\nfour\x1b[201~x', [{ type: 'paste', text: 'one\ntwo\nthree\nfour' }, text('x')]],
  ['\x1b[200~\x1b[A\x03\x1b[20\x1b[201~', [{ type: 'paste', text: '\x1b[A\x03\x1b[20' }]],
  ['\x1b[200~\x1b[201~', [{ type: 'paste', text: '' }]],
];

describe('keys', () => {
  test.each(CASES)('%j', (bytes, events) => {
    expect(decode([utf8.encode(bytes)])).toEqual(events);
  });

  test.each(CASES)('%j byte by byte', (bytes) => {
    expect(decode(bytewise(utf8.encode(bytes)))).toEqual(decode([utf8.encode(bytes)]));
  });

  test('come out the same however they are cut', () => {
    const pieces = fc.oneof(
      fc.constantFrom(...CASES.map(([bytes]) => bytes)),
      fc.string({ unit: 'grapheme' }),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(pieces), fc.array(fc.nat({ max: 40 })), (parts, cuts) => {
        const bytes = utf8.encode(parts.join(''));
        const chunks: Uint8Array[] = [];
        let from = 0;
        for (const cut of cuts) {
          chunks.push(bytes.slice(from, from + cut));
          from += cut;
        }
        chunks.push(bytes.slice(from));
        expect(decode(chunks)).toEqual(decode([bytes]));
      }),
    );
  });

  test('never type a control character, whatever the terminal sends', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        for (const event of decode([bytes])) {
          if (event.type === 'text') expect(event.text).not.toMatch(/\p{Cc}/u);
          if (event.type === 'key') expect(event.name).not.toMatch(/\p{Cc}/u);
        }
      }),
    );
  });

  test('wait for the rest of a sequence, but not of a paste', () => {
    expect(isEscapePending(decodeKeys(NO_KEYS, utf8.encode('\x1b'))[0])).toBe(true);
    expect(isEscapePending(decodeKeys(NO_KEYS, utf8.encode('\x1b[1;'))[0])).toBe(true);
    expect(isEscapePending(decodeKeys(NO_KEYS, utf8.encode('\x1b[A'))[0])).toBe(false);
    expect(isEscapePending(decodeKeys(NO_KEYS, utf8.encode('\x1b[200~half\x1b[20'))[0])).toBe(false);
  });

  test('drop a sequence that never ends, and hold no more than a paste may have', () => {
    expect(decode([utf8.encode(`\x1b[${'1;'.repeat(200)}`), utf8.encode('a')])).toEqual([text('a')]);
    const [state, events] = decodeKeys(NO_KEYS, utf8.encode(`\x1b[200~${'x'.repeat(3_000_000)}`));
    expect(events).toEqual([]);
    expect(state.paste?.length).toBe(1_048_576);
  });
});
