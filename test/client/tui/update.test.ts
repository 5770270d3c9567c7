import { describe, expect, test } from 'vitest';
import { BcastError } from '../../../lib/errors.ts';
import { FINGERPRINT, joined, message, NOON_MS, online, Play, privately, room, user } from './play.ts';

describe('saying', () => {
  test('sends the line, shows it as pending, and clears the input', () => {
    const play = Play.inRooms(['lobby']).keys('hello\r');
    expect(play.took()).toContainEqual({ type: 'say', ticket: 1, room: 'lobby', kind: 'text', body: 'hello' });
    expect(play.active.pending).toHaveLength(1);
    expect(play.state.editor.text).toBe('');
    play.event({ type: 'said', ticket: 1, ts: NOON_MS });
    expect(play.active.pending).toHaveLength(0);
  });

  test('handles every line of fast typing', () => {
    const play = Play.inRooms(['lobby']).keys('first\rsecond\rthird');
    const said = play.took().flatMap((effect) => (effect.type === 'say' ? [effect.body] : []));
    expect(said).toEqual(['first', 'second']);
    expect(play.state.editor.text).toBe('third');
  });

  test('keeps a pasted text with line breaks as one message until Enter', () => {
    const play = Play.inRooms(['lobby']).keys('\x1b[200~one\r\ntwo\rthree\x1b[201~');
    expect(play.took().filter(({ type }) => type === 'say')).toEqual([]);
    play.keys('\r');
    expect(play.took()).toContainEqual({
      type: 'say',
      ticket: 1,
      room: 'lobby',
      kind: 'text',
      body: 'one\ntwo\nthree',
    });
  });

  test('takes control characters out of what is pasted', () => {
    const play = Play.inRooms(['lobby']).event({ type: 'paste', text: 'a\x1b[31mb\x07\tc\x9bd' });
    expect(play.state.editor.text).toBe('a[31mb\tcd');
  });

  test.each([
    ['an empty line', '\r'],
    ['blanks', '   \r'],
  ])('says nothing for %s', (_what, keys) => {
    expect(
      Play.inRooms(['lobby'])
        .keys(keys)
        .took()
        .filter(({ type }) => type === 'say'),
    ).toEqual([]);
  });

  test('says a slash for two', () => {
    const play = Play.inRooms(['lobby']).keys('//etc/hosts\r');
    expect(play.took()).toContainEqual({ type: 'say', ticket: 1, room: 'lobby', kind: 'text', body: '/etc/hosts' });
  });

  test('tells why a message was refused, and what it was', () => {
    const play = Play.inRooms(['lobby']).keys('hello\r');
    play.event({ type: 'unsaid', ticket: 1, error: new BcastError('NOT_A_MEMBER') });
    expect(play.lastLine()).toBe('Not sent: You are not in that room. You wrote: hello');
    expect(play.active.pending).toEqual([]);
  });

  test('keeps what is too long in the input and says so', () => {
    const play = Play.inRooms(['lobby'])
      .event({ type: 'paste', text: 'é'.repeat(40_000) })
      .keys('\r');
    expect(play.took().filter(({ type }) => type === 'say')).toEqual([]);
    expect(play.state.editor.text).toHaveLength(40_000);
    expect(play.lastLine()).toMatch(/too long/);
  });

  test('without a room says what to do and keeps the line', () => {
    const play = new Play().client(online()).keys('hello\r');
    expect(play.lastLine()).toMatch(/\/join/);
    expect(play.state.editor.text).toBe('hello');
  });
});

describe('commands', () => {
  test.each([
    ['/me waves', { type: 'say', ticket: 1, room: 'lobby', kind: 'action', body: 'waves' }],
    ['/msg bob hi there', { type: 'tell', ticket: 1, to: 'bob', kind: 'text', body: 'hi there' }],
    ['/m @bob: hi', { type: 'tell', ticket: 1, to: 'bob', kind: 'text', body: 'hi' }],
    ['/quit', { type: 'quit' }],
    ['/exit', { type: 'quit' }],
  ])('%s', (line, effect) => {
    expect(Play.inRooms(['lobby']).keys(`${line}\r`).took()).toContainEqual(effect);
  });

  test.each([
    ['/join builds', { what: 'join', room: 'builds', isToFront: true, code: null, create: null }],
    ['/j #builds', { what: 'join', room: 'builds', isToFront: true, code: null, create: null }],
    ['/part', { what: 'leave', room: 'lobby' }],
    ['/leave lobby', { what: 'leave', room: 'lobby' }],
    ['/list', { what: 'rooms' }],
    ['/rooms', { what: 'rooms' }],
    ['/names', { what: 'names', room: 'lobby', isShown: true }],
    ['/users builds', { what: 'names', room: 'builds', isShown: true }],
    ['/topic new words here', { what: 'topic', room: 'lobby', topic: 'new words here' }],
    ['/topic -', { what: 'topic', room: 'lobby', topic: null }],
    ['/nick alicia', { what: 'nick', name: 'alicia' }],
    ['/whois bob', { what: 'whois', name: 'bob' }],
    ['/whoami', { what: 'whois', name: 'alice' }],
    ['/away lunch', { what: 'away', text: 'lunch' }],
    ['/away', { what: 'away', text: 'away' }],
    ['/back', { what: 'away', text: null }],
    ['/kick bob too loud', { what: 'kick', room: 'lobby', name: 'bob', reason: 'too loud' }],
    ['/kick bob', { what: 'kick', room: 'lobby', name: 'bob', reason: null }],
    [
      '/ban bob 2h spam',
      { what: 'ban', penalty: 'ban', room: 'lobby', target: 'bob', durationMs: 7_200_000, reason: 'spam' },
    ],
    [
      '/ban 10.0.0.0/8 spam',
      { what: 'ban', penalty: 'ban', room: 'lobby', target: '10.0.0.0/8', durationMs: null, reason: 'spam' },
    ],
    ['/unban bob', { what: 'unban', penalty: 'ban', room: 'lobby', target: 'bob' }],
    ['/banned', { what: 'bans', penalty: 'ban', room: 'lobby' }],
    ['/WHOIS bob', { what: 'whois', name: 'bob' }],
  ])('%s asks the server', (line, ask) => {
    expect(Play.inRooms(['lobby']).keys(`${line}\r`).took()).toContainEqual({ type: 'ask', ask, window: 'room lobby' });
  });

  test.each([
    ['/tpoic x', /no command \/tpoic\. Did you mean \/topic\? To say it/],
    ['/frobnicate', /no command \/frobnicate\. \/help lists/],
    ['/usr/bin/env', /no command \/usr\/bin\/env/],
    ['/kick', /Usage: \/kick NAME \[REASON\]/],
    ['/nick two words', /Usage: \/nick NAME/],
    ['/join b!d', /"b!d" is not a room name/],
    ['/whois a$b', /"a\$b" is not a name/],
    ['/reply hi', /Nobody has written to you yet/],
    ['/me', /Usage: \/me TEXT/],
    ['/help nonsense', /no command \/nonsense/],
  ])('%s is a mistake that stays in the input', (line, says) => {
    const play = Play.inRooms(['lobby']).keys(`${line}\r`);
    expect(play.took().filter(({ type }) => type !== 'typing')).toEqual([]);
    expect(play.lastLine()).toMatch(says);
    expect(play.state.editor.text).toBe(line);
  });

  test('/msg with a name alone opens the conversation', () => {
    const play = Play.inRooms(['lobby']).keys('/query bob\r');
    expect(play.active).toMatchObject({ kind: 'query', name: 'bob' });
    play.keys('hi\r');
    expect(play.took()).toContainEqual({ type: 'tell', ticket: 1, to: 'bob', kind: 'text', body: 'hi' });
    play.event({ type: 'said', ticket: 1, ts: NOON_MS });
    expect(play.lastLine()).toBe('<alice> hi');
  });

  test('/reply answers who wrote last', () => {
    const play = Play.inRooms(['lobby']).client(privately('bob', 'alice', 'psst'), privately('carol', 'alice', 'hey'));
    play.keys('/r yes?\r');
    expect(play.took()).toContainEqual({ type: 'tell', ticket: 1, to: 'carol', kind: 'text', body: 'yes?' });
  });

  test('/part in a conversation closes it', () => {
    const play = Play.inRooms(['lobby']).keys('/query bob\r/part\r');
    expect(play.state.windows.map(({ name }) => name)).toEqual(['bcast', 'lobby']);
    expect(play.active.name).toBe('lobby');
  });

  test('/join of a room one is in goes to it', () => {
    const play = Play.inRooms(['lobby', 'builds']).keys('/join builds\r');
    expect(play.active.name).toBe('builds');
    expect(play.took().filter(({ type }) => type === 'ask')).toEqual([]);
  });

  test('/ignore hides what somebody says until /unignore', () => {
    const play = Play.inRooms(['lobby'])
      .keys('/ignore Bob\r')
      .client(message('lobby', 'bob', 'noise'), privately('bob', 'alice', 'noise'));
    expect(play.lastLine()).toBe('What Bob says is no longer shown.');
    expect(play.state.windows).toHaveLength(2);
    play.keys('/ignore\r');
    expect(play.lastLine()).toBe('You ignore Bob.');
    play.keys('/unignore bob\r').client(message('lobby', 'bob', 'sound'));
    expect(play.lastLine()).toBe('<bob> sound');
  });

  test('/clear empties the window and lets history be fetched again', () => {
    const play = Play.inRooms(['lobby'])
      .client(message('lobby', 'bob', 'x', { seq: 30 }))
      .keys('/clear\r');
    expect(play.entries()).toEqual([]);
    play.client(message('lobby', 'bob', 'y', { seq: 31 }));
    expect(play.entries()).toHaveLength(1);
  });

  test('/help opens the page, /help COMMAND explains one', () => {
    const play = Play.inRooms(['lobby']).keys('/help\r');
    expect(play.state.isHelpOpen).toBe(true);
    expect(play.screen().join('\n')).toMatch(/Help.*PgUp/);
    play.key('escape').keys('/help /ban\r');
    expect(play.state.isHelpOpen).toBe(false);
    expect(play.lastLine()).toMatch(/^\/ban NAME\|ADDRESS\|FINGERPRINT \[DURATION\] \[REASON\]/);
  });

  test('/topic alone shows the topic', () => {
    const play = new Play().client(online(), joined('lobby', { topic: 'Thursday' })).keys('/topic\r');
    expect(play.lastLine()).toBe('Topic: Thursday');
  });
});

describe('answers', () => {
  test('go to the window that asked', () => {
    const play = Play.inRooms(['lobby', 'builds']).keys('/whois bob\r').key('M-2');
    const details = {
      role: 'member',
      away: null,
      rooms: [room('lobby')],
      sessions: 1,
      sinceMs: NOON_MS - 60_000,
      idleMs: 5_000,
      registered: false,
    } as const;
    play.event({
      type: 'answered',
      ask: { what: 'whois', name: user('bob') },
      window: 'room lobby',
      answer: { type: 'user', user: { type: 'user', req: 1, name: user('bob'), fp: FINGERPRINT, ...details } },
    });
    expect(play.entries('lobby').at(-1)).toMatchObject({ text: expect.stringContaining(FINGERPRINT) });
    expect(play.entries('builds').some((entry) => entry.type === 'notice' && entry.text.includes(FINGERPRINT))).toBe(
      false,
    );
  });

  test('a refusal is told with its end', () => {
    const play = Play.inRooms(['lobby']);
    const error = new BcastError('ROOM_BANNED', { untilMs: NOON_MS + 3_600_000 });
    play.event({
      type: 'answered',
      ask: { what: 'join', room: room('ops'), isToFront: true, code: null, create: null },
      window: 'room lobby',
      answer: { type: 'refused', error },
    });
    expect(play.lastLine()).toBe('You are banned from that room. Until 15:02.');
  });

  test('what was not asked by hand fails in silence', () => {
    const play = Play.inRooms(['lobby']);
    const before = play.entries().length;
    const refused = { type: 'refused', error: new BcastError('CONNECTION_LOST') } as const;
    play.event({
      type: 'answered',
      ask: { what: 'names', room: room('lobby'), isShown: false },
      window: 'room lobby',
      answer: refused,
    });
    expect(play.entries()).toHaveLength(before);
  });

  test('rooms are listed with the fullest first', () => {
    const rooms = [
      { room: room('a'), members: 1, access: 'open' as const, topic: null },
      { room: room('b'), members: 9, access: 'open' as const, topic: 'busy' },
    ];
    const play = Play.inRooms(['lobby']).event({
      type: 'answered',
      ask: { what: 'rooms' },
      window: 'room lobby',
      answer: { type: 'rooms', rooms },
    });
    expect(play.lastLine()).toBe('#b  9 here  busy\n#a  1 here');
    play.keys('/join b').key('tab');
    expect(play.state.editor.text).toBe('/join b ');
  });

  test('older messages go before the others', () => {
    const page = { limit: 100, isShown: false };
    const play = Play.inRooms(['lobby']).client(message('lobby', 'bob', 'new', { seq: 10 }));
    play.key('C-home');
    const effect = play.took().find(({ type }) => type === 'ask');
    expect(effect).toEqual({
      type: 'ask',
      ask: { what: 'older', room: 'lobby', before: 10, ...page },
      window: 'room lobby',
    });
    const old = message('lobby', 'bob', 'old', { seq: 9, ts: NOON_MS - 60_000 });
    if (old.type !== 'message' || effect?.type !== 'ask') throw new Error('unreachable');
    play.event({
      type: 'answered',
      ask: effect.ask,
      window: effect.window,
      answer: { type: 'messages', messages: [old] },
    });
    expect(
      play
        .entries()
        .map((entry) => (entry.type === 'message' ? entry.body : '-'))
        .filter((text) => text !== '-'),
    ).toEqual(['old', 'new']);
    // And is asked for again from there on.
    play.key('C-home');
    expect(play.took()).toContainEqual({
      type: 'ask',
      ask: { what: 'older', room: 'lobby', before: 9, ...page },
      window: 'room lobby',
    });
    play.event({
      type: 'answered',
      ask: effect.ask,
      window: effect.window,
      answer: { type: 'messages', messages: [] },
    });
    play.key('C-home');
    expect(play.took()).toEqual([]);
  });
});
