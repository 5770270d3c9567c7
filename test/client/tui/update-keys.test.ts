import { describe, expect, test } from 'vitest';
import { complete } from '../../../lib/client/tui/completion.ts';
import { joined, message, NOON_MS, online, Play, presence, privately, room, user } from './play.ts';

/** Enough lines that not all are on screen. */
function longRoom(count: number, rows = 24): Play {
  const play = Play.inRooms(['lobby', 'builds'], 80, rows);
  for (let index = 1; index <= count; index += 1)
    play.client(message('lobby', `u${index % 7}`, `line ${index}`, { seq: 1_000 + index, ts: NOON_MS + index }));
  return play;
}

const shown = (play: Play): number[] =>
  [
    ...play
      .screen()
      .join('\n')
      .matchAll(/line (\d+)/g),
  ].map((match) => Number(match[1]));

describe('scrolling', () => {
  test('by pages, and does not move when something new comes', () => {
    const play = longRoom(100).key('pageup');
    const before = shown(play);
    expect(before.at(-1)).toBeLessThan(90);
    play.client(
      message('lobby', 'bob', 'line 101', { ts: NOON_MS + 200 }),
      message('lobby', 'bob', 'line 102', { ts: NOON_MS + 200 }),
    );
    expect(shown(play)).toEqual(before);
    expect(play.screen().join('\n')).toMatch(/─ 2 new below · Alt-End ─/);
    play.key('pagedown').key('pagedown');
    expect(shown(play).at(-1)).toBe(102);
    expect(play.active).toMatchObject({ scroll: null, unread: 0 });
  });

  test('stops at both ends with a full page', () => {
    const play = longRoom(100);
    for (let page = 0; page < 20; page += 1) play.key('pageup');
    expect(shown(play)[0]).toBe(1);
    expect(shown(play).length).toBeGreaterThan(10);
    play.key('M-end');
    expect(shown(play).at(-1)).toBe(100);
    play.key('C-home');
    expect(shown(play)[0]).toBe(1);
    play.key('S-down').key('S-up');
    expect(shown(play)[0]).toBe(1);
  });

  test('keeps its place when the terminal changes its size', () => {
    const play = longRoom(100).key('pageup');
    const last = shown(play).at(-1);
    play.event({ type: 'resize', columns: 40, rows: 12 });
    expect(shown(play).at(-1)).toBe(last);
    play.event({ type: 'resize', columns: 120, rows: 40 });
    expect(shown(play).at(-1)).toBe(last);
  });

  test('keeps its place when older messages come', () => {
    const play = longRoom(60).key('C-home');
    const effect = play.took().find(({ type }) => type === 'ask');
    const before = shown(play);
    if (effect?.type !== 'ask') throw new Error('nothing was asked');
    const old = message('lobby', 'bob', 'older', { seq: 1_000, ts: NOON_MS });
    if (old.type !== 'message') throw new Error('unreachable');
    play.event({
      type: 'answered',
      ask: effect.ask,
      window: effect.window,
      answer: { type: 'messages', messages: [old] },
    });
    expect(shown(play)).toEqual(before);
    play.key('pageup');
    expect(play.screen().join('\n')).toMatch(/older/);
  });

  test('ends when one says something', () => {
    const play = longRoom(100).key('pageup').keys('hello\r');
    expect(play.active.scroll).toBeNull();
  });
});

describe('search', () => {
  test('finds the newest first, then older and newer, and goes back where it was', () => {
    const play = longRoom(200).key('C-s').keys('line 1');
    expect(play.state.mode).toMatchObject({ type: 'search', query: 'line 1' });
    expect(shown(play)).toContain(199);
    play.keys('2');
    expect(shown(play)).toContain(129);
    play.key('C-s');
    expect(play.active.scroll).not.toBeNull();
    const found = play.frame.lines.flat().filter(({ style }) => style.inverse);
    expect(found.map(({ text }) => text)).toContain('line 12');
    for (let more = 0; more < 12; more += 1) play.key('up');
    expect(shown(play)).toContain(12);
    play.key('down');
    expect(shown(play)).toContain(120);
    play.key('escape');
    expect(play.state.mode.type).toBe('write');
    expect(shown(play).at(-1)).toBe(200);
  });

  test('Enter stays at what was found', () => {
    const play = longRoom(200).keys('/lastlog line 20\r').key('C-s').key('enter');
    expect(play.state.mode.type).toBe('write');
    expect(shown(play)).toContain(20);
    expect(shown(play).at(-1)).toBeLessThan(60);
  });

  test('says when there is nothing', () => {
    const play = longRoom(10).key('C-s').keys('zebra');
    expect(play.screen().at(-2)).toMatch(/not found/);
    play.key('backspace').key('backspace').key('backspace').key('backspace').key('backspace');
    expect(play.screen().at(-2)).not.toMatch(/not found/);
  });
});

describe('what was typed before', () => {
  test('comes back with Up, and the draft with Down', () => {
    const play = Play.inRooms(['lobby']).keys('one\rtwo\rdraft');
    play.key('up');
    expect(play.state.editor.text).toBe('two');
    play.key('up').key('up');
    expect(play.state.editor.text).toBe('one');
    play.key('down').key('down');
    expect(play.state.editor.text).toBe('draft');
  });

  test('Up inside several lines moves the cursor first', () => {
    const play = Play.inRooms(['lobby']).keys('sent\ra\nb');
    play.key('up');
    expect(play.state.editor).toMatchObject({ text: 'a\nb', cursor: 1 });
    play.key('up');
    expect(play.state.editor.text).toBe('sent');
  });

  test('is found by Ctrl-R', () => {
    const play = Play.inRooms(['lobby']).keys('make tea\rmake coffee\rdrink\r').key('C-r').keys('make');
    expect(play.screen().at(-1)).toMatch(/recall: make {2}make coffee/);
    play.key('C-r');
    expect(play.screen().at(-1)).toMatch(/make tea/);
    play.key('enter');
    expect(play.state.editor.text).toBe('make tea');
    play.key('C-r').keys('zzz').key('escape');
    expect(play.state.editor.text).toBe('make tea');
  });
});

describe('completion', () => {
  const people = (): Play =>
    Play.inRooms(['lobby', 'builds']).client(
      presence(
        'lobby',
        { change: 'join', name: user('bob') },
        { change: 'join', name: user('bert') },
        { change: 'join', name: user('Zoë') },
      ),
      message('lobby', 'bert', 'hi'),
    );

  test.each([
    ['b', ['bert: ', 'bob: ', 'bert: ']],
    ['hi b', ['hi bert ', 'hi bob ', 'hi bert ']],
    ['zo', ['Zoë: ']],
    ['hi @bo', ['hi @bob ']],
    ['see #bu', ['see #builds ']],
    ['/wh', ['/whoami ', '/whois ']],
    ['/pm', ['/pm ']],
    ['/msg bo', ['/msg bob ']],
    ['/join bu', ['/join builds ']],
    ['/ban bob 1', ['/ban bob 10m ', '/ban bob 1h ', '/ban bob 1d ']],
    ['/help to', ['/help topic ']],
    ['/topic bo', ['/topic bob ']],
    ['xyz', ['xyz']],
  ])('%j gives %j', (typed, results) => {
    const play = people().keys(typed);
    for (const result of results) expect(play.key('tab').state.editor.text).toBe(result);
  });

  test('goes back with Shift-Tab, shows the candidates, and ends with the next key', () => {
    const play = people().keys('b').key('tab').key('tab').key('S-tab');
    expect(play.state.editor.text).toBe('bert: ');
    expect(play.screen().at(-2)).toMatch(/^ {1,2}bert {2}bob/);
    play.keys('x');
    expect(play.state.completion).toBeNull();
    expect(play.state.editor.text).toBe('bert: x');
  });

  test('keeps what stands behind the cursor', () => {
    const play = people().keys('bo there');
    for (let left = 0; left < 6; left += 1) play.key('left');
    play.key('tab');
    expect(play.state.editor).toMatchObject({ text: 'bob:  there', cursor: 5 });
  });

  test('shows how the command being written is used', () => {
    expect(people().keys('/ban b').screen().at(-2)).toMatch(
      /^ \/ban NAME\|ADDRESS\|FINGERPRINT \[DURATION\] \[REASON\]/,
    );
  });

  test('in a conversation knows the other', () => {
    const play = Play.inRooms(['lobby'])
      .client(privately('carol', 'alice', 'hi'))
      .key('M-2')
      .keys('c')
      .key('tab');
    expect(play.state.editor.text).toBe('carol: ');
  });

  test('never grows long', () => {
    const users = Array.from({ length: 10_000 }, (_, index) => `n${index}`);
    expect(complete('n', 1, { users, rooms: [] })?.candidates).toHaveLength(64);
  });
});

describe('windows', () => {
  test.each([
    ['C-n', 'builds'],
    ['C-p', 'ops'],
    ['M-2', 'builds'],
    ['M-3', 'ops'],
    ['M-9', 'lobby'],
    ['M-down', 'builds'],
  ])('%s goes to %s', (key, name) => {
    expect(Play.inRooms(['lobby', 'builds', 'ops']).key(key).active.name).toBe(name);
  });

  test('Alt-A goes to who speaks to us first, then to what is new', () => {
    const play = Play.inRooms(['lobby', 'builds', 'ops']).client(
      message('builds', 'bob', 'x'),
      message('ops', 'bob', 'alice!'),
    );
    expect(play.key('M-a').active.name).toBe('ops');
    expect(play.key('M-a').active.name).toBe('builds');
    expect(play.key('M-a').active.name).toBe('builds');
  });

  test('the panes at the sides come and go', () => {
    const play = Play.inRooms(['lobby'], 120, 24);
    const rules = (): number => (play.screen()[2]?.match(/│/g) ?? []).length;
    expect(rules()).toBe(2);
    play.key('f2');
    expect(rules()).toBe(1);
    play.key('M-r');
    expect(rules()).toBe(0);
  });
});

describe('leaving', () => {
  test('Ctrl-C clears the line, a second one quits, and waiting forgets the first', () => {
    const play = Play.inRooms(['lobby']).keys('half a thought\x03');
    expect(play.state.editor.text).toBe('');
    expect(play.screen().at(-2)).toMatch(/Ctrl-C again to quit/);
    play.key('C-y');
    expect(play.state.editor.text).toBe('half a thought');
    play.took();
    play.key('C-c').wait(3_500).key('C-c');
    expect(play.took()).toEqual([]);
    play.key('C-c');
    expect(play.took()).toEqual([{ type: 'quit' }]);
  });

  test('Ctrl-D deletes while there is something, and asks when there is not', () => {
    const play = Play.inRooms(['lobby']).keys('ab\x01\x04');
    expect(play.state.editor.text).toBe('b');
    play.took();
    play.key('C-d').key('C-d');
    expect(play.took()).toEqual([]);
    play.key('C-d');
    expect(play.took()).toEqual([{ type: 'quit' }]);
  });

  test.each([
    ['C-z', 'suspend'],
    ['C-l', 'redraw'],
  ])('%s is done by the program', (key, type) => {
    expect(Play.inRooms(['lobby']).key(key).took()).toEqual([{ type }]);
  });
});

describe('typing marks', () => {
  const typed = (play: Play): number => play.took().filter(({ type }) => type === 'typing').length;

  test('are sent now and then, and anew after a message', () => {
    const play = Play.inRooms(['lobby']).keys('a').keys('b').keys('c');
    expect(typed(play)).toBe(1);
    play.wait(3_100).keys('d');
    expect(typed(play)).toBe(1);
    play.keys('\r').keys('e');
    expect(typed(play)).toBe(1);
  });

  test('are not sent for commands, conversations, or while offline', () => {
    expect(typed(Play.inRooms(['lobby']).keys('/msg bob secret'))).toBe(0);
    expect(typed(Play.inRooms(['lobby']).keys('/query bob\r').keys('secret'))).toBe(0);
    expect(
      typed(
        Play.inRooms(['lobby'])
          .client({ type: 'status', status: { state: 'connecting' } })
          .keys('x'),
      ),
    ).toBe(0);
    expect(typed(new Play().client(online()).keys('x'))).toBe(0);
    expect(typed(new Play().client(online(), joined('lobby')).keys('//slash'))).toBe(1);
  });

  test('of a room go to that room', () => {
    const play = Play.inRooms(['lobby', 'builds']).key('M-2').keys('x');
    expect(play.took()).toContainEqual({ type: 'typing', room: room('builds') });
  });
});
