import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { frameOf } from '../../../lib/client/tui/frame.ts';
import { actionOf, BINDINGS, keyLabel } from '../../../lib/client/tui/keymap.ts';
import { plainText, rowWidth } from '../../../lib/client/tui/rows.ts';
import { COMMANDS } from '../../../lib/protocol/commands.ts';
import { joined, message, NOON_MS, online, Play, presence, privately, room, user } from './play.ts';

const UNSAFE = /[\p{Cc}\p{Cs}\p{Bidi_Control}\u2028\u2029]/u;

/** Looking for something takes one row of the screen, however many the text that was being written had. */
const LOOKING_WITH_MUCH_WRITTEN = [
  (play: Play) => play.event({ type: 'paste', text: '\n'.repeat(50) }),
  (play: Play) => play.key('C-r'),
];

/** A room in which people write all that is difficult. */
function busyRoom(columns: number, rows: number): Play {
  const play = new Play(columns, rows).client(
    online(),
    joined('lobby', { topic: 'Release 2.0 on Thursday', owner: user('bob') }),
  );
  play.client(
    presence(
      'lobby',
      { change: 'join', name: user('bob') },
      { change: 'join', name: user('李雷') },
      { change: 'join', name: user('שרה') },
    ),
  );
  play.client(
    message('lobby', 'bob', 'morning everyone', { ts: NOON_MS - 86_400_000 }),
    message('lobby', 'bob', 'the nightly build went through after a retry, logs at https://ci.example.org/run/4711', {
      ts: NOON_MS,
    }),
    message('lobby', 'bob', 'all green', { ts: NOON_MS + 1_000 }),
    message('lobby', 'carol-with-a-long-name', 'family 👨‍👩‍👧‍👦 flag 🇩🇪 heart ❤️ thumb 👍🏽', { ts: NOON_MS }),
    message('lobby', '李雷', '早上好，今天的部署几点开始？我想先看一下日志再说，谢谢大家', { ts: NOON_MS }),
    message('lobby', 'שרה', 'שלום לכולם, בוקר טוב', { ts: NOON_MS }),
    message('lobby', 'bob', 'waves at Ame\u0301lie', { kind: 'action', ts: NOON_MS }),
    message('lobby', 'bob', 'one\n  two\n\nfour \x1b[31mred\u202eevil', { ts: NOON_MS }),
    message('lobby', 'dave', 'alice: look at this', { ts: NOON_MS }),
  );
  play.client(
    joined('builds'),
    privately('carol', 'alice', 'lunch?'),
    message('builds', 'bob', 'red', { ts: NOON_MS }),
  );
  return play;
}

describe('a frame', () => {
  test.each([
    [120, 35],
    [80, 24],
    [60, 15],
    [40, 10],
    [20, 5],
    [1, 1],
  ])('at %i x %i is as large as the screen, and nothing in it is a control character', (columns, rows) => {
    const frame = busyRoom(columns, rows).frame;
    expect(frame.lines).toHaveLength(rows);
    for (const line of frame.lines) {
      expect(rowWidth(line)).toBe(columns);
      expect(plainText(line)).not.toMatch(UNSAFE);
    }
  });

  test.each([
    [120, 24],
    [80, 24],
    [40, 24],
  ])('at %i columns', (columns, rows) => {
    const lines = busyRoom(columns, rows)
      .screen()
      .map((line) => `${line.trimEnd()}`);
    expect(`\n${lines.join('\n')}\n`).toMatchSnapshot();
  });

  test('holds whatever happens', () => {
    const names = fc.constantFrom('bob', 'alice', '李雷', 'שרה', 'x'.repeat(50));
    const bodies = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'grapheme', maxLength: 300 }),
      fc.constantFrom('👨‍👩‍👧‍👦'.repeat(30), 'alice', '\n'.repeat(50)),
    );
    const keys = fc.constantFrom(...BINDINGS.flatMap((binding) => binding.keys));
    const commands = fc.constantFrom(...COMMANDS.map(({ name }) => `/${name} bob`), '/', '//', '/help ban');
    const step = fc.oneof(
      fc.tuple(names, bodies).map(
        ([from, body]) =>
          (play: Play) =>
            play.client(message('lobby', from, body)),
      ),
      fc.tuple(names, bodies).map(
        ([from, body]) =>
          (play: Play) =>
            play.client(privately(from, 'alice', body)),
      ),
      names.map((name) => (play: Play) => play.client(presence('lobby', { change: 'join', name: user(name) }))),
      names.map((name) => (play: Play) => play.client({ type: 'typing', room: room('lobby'), name: user(name) })),
      bodies.map(
        (topic) => (play: Play) => play.client({ type: 'topic', room: room('lobby'), topic, by: user('bob'), ts: 0 }),
      ),
      fc.constant((play: Play) => play.client({ type: 'left', room: room('lobby') })),
      fc.constant((play: Play) => play.client(joined('lobby'))),
      keys.map((key) => (play: Play) => play.key(key)),
      commands.map((line) => (play: Play) => play.event({ type: 'text', text: line }).key('enter')),
      bodies.map((text) => (play: Play) => play.event({ type: 'text', text: text.replace(/\p{Cc}/gu, '') })),
      bodies.map((text) => (play: Play) => play.event({ type: 'paste', text })),
      fc.tuple(fc.integer({ min: 1, max: 140 }), fc.integer({ min: 1, max: 50 })).map(
        ([columns, rows]) =>
          (play: Play) =>
            play.event({ type: 'resize', columns, rows }),
      ),
      fc.integer({ min: 0, max: 100_000 }).map((ms) => (play: Play) => play.wait(ms)),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        const play = busyRoom(80, 24);
        for (const one of steps) {
          one(play);
          const { lines, cursor } = frameOf(play.state);
          expect(lines).toHaveLength(play.state.rows);
          for (const line of lines) {
            expect(rowWidth(line)).toBe(play.state.columns);
            expect(plainText(line).replaceAll('\u25cc', '')).not.toMatch(/\p{Cc}|\u202e/u);
          }
          if (cursor !== null) {
            expect(cursor.column).toBeLessThan(play.state.columns);
            expect(cursor.row).toBeLessThan(play.state.rows);
          }
        }
      }),
      { numRuns: 60, examples: [[LOOKING_WITH_MUCH_WRITTEN]] },
    );
  });
});

describe('messages', () => {
  test('of one author in a row stand under one name, and days are parted', () => {
    const screen = busyRoom(80, 30).screen().join('\n');
    expect(screen).toMatch(/─ Friday, 20 November 2026 ─/);
    expect(screen).toMatch(/─ Saturday, 21 November 2026 ─/);
    expect(screen.match(/\d\d:\d\d +bob {2}/g)).toHaveLength(3);
    expect(screen).toMatch(/\n +all green/);
  });

  test('that mention us are marked in the accent', () => {
    const line = busyRoom(80, 30).frame.lines.find((one) => plainText(one).includes('look at this'));
    expect(line?.filter(({ style }) => style.ink === 'accent').map(({ text }) => text)).toEqual(['dave', 'alice']);
  });

  test('have their links underlined', () => {
    const pieces = busyRoom(120, 30)
      .frame.lines.flat()
      .filter(({ style }) => style.underline);
    expect(pieces.map(({ text }) => text).join('')).toBe('https://ci.example.org/run/4711');
  });
});

describe('help', () => {
  test('lists every command and every key that has a word to say', () => {
    const play = new Play(120, 200).client(online(), joined('lobby')).key('f1');
    const page = play.screen().join('\n');
    for (const { name, help } of COMMANDS) {
      expect(page).toContain(`/${name}`);
      expect(page).toContain(help.slice(0, 20));
    }
    for (const { help } of BINDINGS) if (help !== undefined) expect(page).toContain(help.slice(0, 20));
  });

  test('scrolls and closes', () => {
    const play = Play.inRooms(['lobby']).key('f1');
    const first = play.screen().join('\n');
    play.key('pagedown');
    expect(play.screen().join('\n')).not.toBe(first);
    play.key('C-end').key('pagedown').key('C-home');
    expect(play.screen().join('\n')).toBe(first);
    play.key('escape');
    expect(play.state.isHelpOpen).toBe(false);
  });
});

describe('keys', () => {
  test('have one meaning each', () => {
    const keys = BINDINGS.flatMap((binding) => binding.keys);
    expect(new Set(keys).size).toBe(keys.length);
    for (const { action, keys: own } of BINDINGS) for (const key of own) expect(actionOf(key)).toBe(action);
  });

  test.each([
    ['C-n', 'Ctrl-N'],
    ['M-a', 'Alt-A'],
    ['C-M-x', 'Ctrl-Alt-X'],
    ['pageup', 'PgUp'],
    ['S-tab', 'Shift-Tab'],
    ['f1', 'F1'],
  ])('%s is written %s', (key, label) => {
    expect(keyLabel(key)).toBe(label);
  });
});
