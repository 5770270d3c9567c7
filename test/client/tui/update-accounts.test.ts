import { describe, expect, test } from 'vitest';
import type { Answer, Ask } from '../../../lib/client/tui/effect.ts';
import { BcastError } from '../../../lib/errors.ts';
import { FINGERPRINT, joined, message, NOON_MS, online, Play, presence, room, user } from './play.ts';

const den = room('den');
const bob = user('bob');

/** In a locked room that we own. */
function inDen(): Play {
  const play = new Play().client(online(), joined('den', { access: 'locked', role: 'owner', owner: user('alice') }));
  play.took();
  return play;
}

function asks(play: Play): Ask[] {
  return play.took().flatMap((effect) => (effect.type === 'ask' ? [effect.ask] : []));
}

function answered(play: Play, ask: Ask, answer: Answer, window = 'room den'): Play {
  return play.event({ type: 'answered', ask, window, answer });
}

const refused = (code: 'BAD_CODE' | 'ROOM_EXISTS', more = {}): Answer => ({
  type: 'refused',
  error: new BcastError(code, more),
});

const joining = (more: Partial<Extract<Ask, { what: 'join' }>> = {}): Ask => ({
  what: 'join',
  room: den,
  isToFront: true,
  code: null,
  create: null,
  ...more,
});

describe('commands', () => {
  test.each<[string, Ask]>([
    ['/create attic', joining({ room: room('attic'), create: 'open' })],
    ['/create attic --locked', joining({ room: room('attic'), create: 'locked' })],
    ['/invite bob', { what: 'invite', room: den, name: bob }],
    ['/invite', { what: 'link', room: den }],
    ['/search deploy failed', { what: 'search', room: den, words: 'deploy failed' }],
    ['/receipts 7', { what: 'receipts', room: den, seq: 7 }],
    ['/read #7', { what: 'receipts', room: den, seq: 7 }],
    ['/register', { what: 'register', password: null }],
    ['/unregister', { what: 'unregister' }],
    ['/subscribe bob', { what: 'follow', name: bob, isOn: true }],
    ['/follow', { what: 'follows' }],
    ['/unsubscribe bob', { what: 'follow', name: bob, isOn: false }],
    [
      '/mute bob 10m too loud',
      { what: 'ban', penalty: 'mute', room: den, target: 'bob', durationMs: 600_000, reason: 'too loud' },
    ],
    ['/quiet bob', { what: 'ban', penalty: 'mute', room: den, target: 'bob', durationMs: null, reason: null }],
    ['/unmute bob', { what: 'unban', penalty: 'mute', room: den, target: 'bob' }],
    ['/muted', { what: 'bans', penalty: 'mute', room: den }],
    ['/op bob', { what: 'role', room: den, name: bob, role: 'moderator' }],
    ['/deop bob', { what: 'role', room: den, name: bob, role: 'member' }],
    ['/code', { what: 'code', room: den, isNew: false }],
    ['/code rotate', { what: 'code', room: den, isNew: true }],
    ['/keep', { what: 'retain', room: den, isKept: true }],
    ['/keep off', { what: 'retain', room: den, isKept: false }],
    ['/motd Be kind.', { what: 'motd', text: 'Be kind.' }],
    ['/motd -', { what: 'motd', text: null }],
  ])('%s asks', (line, ask) => {
    expect(asks(inDen().keys(`${line}\r`))).toEqual([ask]);
  });

  test.each([
    ['/create attic --lokced', /\/create ROOM --locked/],
    ['/history many', /a number/],
    ['/receipts x', /number of a message/],
    ['/code new', /\/code rotate/],
    ['/keep maybe', /\/keep off/],
    ['/search', /Usage: \/search TEXT/],
    ['/publish', /Usage: \/publish TEXT/],
  ])('%s is a mistake that stays in the input', (line, says) => {
    const play = inDen().keys(`${line}\r`);
    expect(play.took().filter(({ type }) => type !== 'typing')).toEqual([]);
    expect(play.lastLine()).toMatch(says);
    expect(play.state.editor.text).toBe(line);
  });

  test.each([
    ['/history', /nothing older/],
    ['/receipts', /said nothing here/],
    ['/code', /no code/],
  ])('%s, which no other line would mend, leaves the input empty for the next', (line, says) => {
    const play = Play.inRooms(['lobby']).keys(`${line}\r`);
    expect(play.lastLine()).toMatch(says);
    expect(play.state.editor.text).toBe('');
  });

  test('/motd alone shows the greeting', () => {
    expect(inDen().keys('/motd\r').lastLine()).toMatch(/Nothing greets/);
    const event = online();
    if (event.type !== 'status' || event.status.state !== 'online') throw new Error('unreachable');
    const play = inDen().client({ ...event, status: { ...event.status, motd: 'Be kind.' } });
    expect(play.keys('/motd\r').lastLine()).toBe('Be kind.');
  });

  test('/history fetches so many, and goes to them', () => {
    const play = inDen().client(message('den', 'bob', 'new', { seq: 500 }));
    const [ask] = asks(play.keys('/history 200\r'));
    expect(ask).toEqual({ what: 'older', room: den, before: 500, limit: 200, isShown: true });
    const older = Array.from({ length: 200 }, (_, index) =>
      message('den', 'bob', `old ${300 + index}`, { seq: 300 + index }),
    ).flatMap((event) => (event.type === 'message' ? [event] : []));
    answered(play, ask as Ask, { type: 'messages', messages: older });
    expect(play.screen().join('\n')).toMatch(/old 300/);
    expect(answered(play, ask as Ask, { type: 'messages', messages: [] }).lastLine()).toBe('There is nothing older.');
  });

  test('/receipts without a number asks about our last message here', () => {
    const play = inDen().client(message('den', 'alice', 'mine', { seq: 7 }), message('den', 'bob', 'his', { seq: 8 }));
    expect(asks(play.keys('/receipts\r'))).toEqual([{ what: 'receipts', room: den, seq: 7 }]);
  });

  test('/lastlog looks through what is on the screen', () => {
    const play = inDen()
      .client(message('den', 'bob', 'the needle'))
      .keys('/lastlog needle\r');
    expect(play.state.mode).toMatchObject({ type: 'search', query: 'needle' });
  });

  test('/publish is shown where it was said, as going to followers', () => {
    const play = inDen().keys('/publish 2.0 is out\r');
    expect(play.took()).toContainEqual({ type: 'publish', ticket: 1, body: '2.0 is out' });
    expect(play.screen().join('\n')).toMatch(/to followers: 2\.0 is out/);
    play.event({ type: 'said', ticket: 1, ts: NOON_MS });
    expect(play.entries().at(-1)).toMatchObject({ body: '2.0 is out', isPublished: true, isOwn: true });
    expect(play.screen().join('\n')).toMatch(/to followers: 2\.0 is out/);
  });

  test.each([
    ['/create attic --', '/create attic --locked '],
    ['/code r', '/code rotate '],
    ['/keep of', '/keep off '],
  ])('%s is completed', (line, completed) => {
    expect(inDen().keys(line).key('tab').state.editor.text).toBe(completed);
  });
});

describe('answers', () => {
  test.each<[Ask, Answer, string]>([
    [
      { what: 'register', password: null },
      { type: 'done' },
      'alice is yours now, by your key. With /password you can also enter from elsewhere.',
    ],
    [{ what: 'unregister' }, { type: 'done' }, 'alice is no longer registered.'],
    [{ what: 'follow', name: bob, isOn: true }, { type: 'done' }, 'You hear from now on what bob publishes.'],
    [{ what: 'follow', name: bob, isOn: false }, { type: 'done' }, 'You no longer hear what bob publishes.'],
    [{ what: 'follows' }, { type: 'follows', names: [] }, 'You follow nobody.'],
    [{ what: 'follows' }, { type: 'follows', names: [bob, user('carol')] }, 'You follow bob, carol.'],
    [{ what: 'invite', room: den, name: bob }, { type: 'done' }, 'bob is invited to #den.'],
    [{ what: 'link', room: den }, { type: 'link', url: 'bcast://h/den' }, 'This leads here: bcast://h/den'],
    [{ what: 'code', room: den, isNew: false }, { type: 'code', code: 'A1B2C' }, 'The code is A1B2C.'],
    [
      { what: 'code', room: den, isNew: false },
      { type: 'code', code: null },
      'You do not know the code; "/code rotate" makes a new one.',
    ],
    [
      { what: 'code', room: den, isNew: true },
      { type: 'code', code: 'A1B2C' },
      'The new code is A1B2C. Who is here stays, but comes in again only with this: /invite them.',
    ],
    [{ what: 'retain', room: den, isKept: false }, { type: 'done' }, 'This room goes when nobody is in it.'],
    [{ what: 'motd', text: null }, { type: 'done' }, 'The greeting is as configured again.'],
    [
      { what: 'ban', penalty: 'mute', room: den, target: 'bob', durationMs: 600_000, reason: null },
      { type: 'done' },
      'bob may not speak here for 10m.',
    ],
    [{ what: 'unban', penalty: 'mute', room: den, target: 'bob' }, { type: 'done' }, 'bob may speak again.'],
    [{ what: 'bans', penalty: 'mute', room: den }, { type: 'bans', bans: [] }, 'Nobody is muted here.'],
    [
      { what: 'search', room: den, words: 'deploy' },
      { type: 'found', messages: [], fromSeq: 40 },
      'Nothing has "deploy". Looked back to message 40.',
    ],
    [
      { what: 'receipts', room: den, seq: 7 },
      {
        type: 'receipts',
        receipts: {
          type: 'receipts',
          req: 1,
          room: den,
          seq: 7,
          members: 1_200,
          delivered: 1_100,
          read: 2,
          readers: [bob, user('carol')],
        },
      },
      'Message 7: 1,100 of 1,200 others have it, 2 have read it: bob, carol.',
    ],
  ])('to %j', (ask, answer, text) => {
    expect(answered(inDen(), ask, answer).lastLine()).toBe(text);
  });

  test('to a search are the messages with number and time, each on a line', () => {
    const found = message('den', 'bob', 'deploy\n\nfailed', { seq: 7, isHistory: true });
    const older = message('den', 'carol', 'deploy', { seq: 3, ts: NOON_MS - 86_400_000 });
    if (found.type !== 'message' || older.type !== 'message') throw new Error('unreachable');
    const ask = { what: 'search', room: den, words: 'deploy' } as const;
    const play = answered(inDen(), ask, { type: 'found', messages: [older, found], fromSeq: 1 });
    expect(play.lastLine()).toBe(
      '2 messages have "deploy". Looked back to message 1.\n  #3  2026-11-20 14:02  carol: deploy\n  #7  14:02  bob: deploy failed',
    );
  });

  test('about somebody say whether the name is registered, and when they were last here', () => {
    const about = { role: 'member', away: null, rooms: [], sinceMs: NOON_MS - 60_000, idleMs: 0 } as const;
    const details = { type: 'user', req: 1, name: bob, fp: FINGERPRINT, registered: true, sessions: 0 } as const;
    const play = answered(inDen(), { what: 'whois', name: bob }, { type: 'user', user: { ...details, ...about } });
    expect(play.lastLine()).toBe(`bob, registered\n  identity  ${FINGERPRINT}\n  last here 14:01`);
  });

  test('about somebody on another server of the network do not say how long they have been silent', () => {
    const about = { role: 'member', away: null, rooms: [], sinceMs: NOON_MS - 60_000 } as const;
    const details = { type: 'user', req: 1, name: bob, fp: FINGERPRINT, registered: false, sessions: 1 } as const;
    const lines = [null, 5_000].map((idleMs) => {
      const answer = { type: 'user', user: { ...details, ...about, idleMs } } as const;
      return answered(inDen(), { what: 'whois', name: bob }, answer).lastLine().split('\n').at(-1);
    });
    expect(lines).toEqual(['  here for  1m', '  here for  1m, silent for 5s']);
  });

  test('to a list say which rooms are locked', () => {
    const rooms = [{ room: den, members: 2, access: 'locked', topic: null } as const];
    expect(answered(inDen(), { what: 'rooms' }, { type: 'rooms', rooms }).lastLine()).toBe('#den  2 here  locked');
  });

  test('for a window that is gone are told where somebody looks', () => {
    const play = answered(inDen(), joining({ room: room('attic'), create: 'open' }), refused('ROOM_EXISTS'), 'room x');
    expect(play.lastLine()).toBe('That room is there already.');
  });
});

describe('the code of a locked room', () => {
  test('is asked for when it is wanted, typed unseen, and sent', () => {
    const play = Play.inRooms(['lobby']);
    answered(play, joining(), refused('BAD_CODE'), 'room lobby');
    expect(play.lastLine()).toBe('#den is locked.');
    expect(play.screen().at(-1)).toMatch(/code of #den: +$/);
    play.keys('A1B2X').key('backspace').keys('C');
    const screen = play.screen().join('\n');
    expect(screen).toMatch(/code of #den: •••••/);
    expect(screen).not.toMatch(/A1B2/);
    expect(screen).toMatch(/not shown/);
    play.took();
    expect(asks(play.keys('\r'))).toEqual([joining({ code: 'A1B2C' })]);
    expect(play.state.mode).toEqual({ type: 'write' });
    expect(play.state.history.lines).toEqual([]);
    play.client(joined('den', { access: 'locked' }));
    expect(play.active.name).toBe('den');
    expect(play.screen().join('\n')).toMatch(/whoever has the code/);
  });

  test('that is wrong is asked for again, unless the server says to wait', () => {
    const play = Play.inRooms(['lobby']);
    answered(play, joining({ code: 'WRONG' }), refused('BAD_CODE'), 'room lobby');
    expect(play.lastLine()).toBe('That is not the code of #den.');
    expect(play.state.mode).toMatchObject({ type: 'secret', text: '' });
    play.key('escape');
    answered(play, joining({ code: 'WRONG' }), refused('BAD_CODE', { retryAfterMs: 9_000 }), 'room lobby');
    expect(play.lastLine()).toMatch(/Try again in 9s/);
    expect(play.state.mode).toEqual({ type: 'write' });
  });

  test.each(['escape', 'C-c', 'C-d'])(
    'is not asked for any more after %s, and the line being written is still there',
    (key) => {
      const play = Play.inRooms(['lobby']).keys('hel');
      answered(play, joining(), refused('BAD_CODE'), 'room lobby');
      play.keys('A1').key(key);
      expect(play.state).toMatchObject({ mode: { type: 'write' }, editor: { text: 'hel' }, quitArmedUntilMs: 0 });
      play.took();
      expect(asks(play.keys('\x15lo\r'))).toEqual([]);
    },
  );

  test('of one room is asked for at a time', () => {
    const play = Play.inRooms(['lobby']);
    answered(play, joining(), refused('BAD_CODE'), 'room lobby');
    answered(play, joining({ room: room('attic') }), refused('BAD_CODE'), 'room lobby');
    expect(play.lastLine()).toBe('#attic is locked: /join attic asks for its code.');
    expect(play.state.mode).toMatchObject({ wanted: { room: 'den' } });
  });

  test('is still asked for when another room comes on screen meanwhile', () => {
    const play = new Play().client(online());
    answered(play, joining(), refused('BAD_CODE'));
    play.client(joined('lobby'));
    expect(play.active.name).toBe('lobby');
    expect(play.state.mode).toMatchObject({ type: 'secret' });
    expect(asks(play.keys('A1B2C\r'))).toContainEqual(joining({ code: 'A1B2C' }));
  });

  test('may be pasted with its line break', () => {
    const play = answered(Play.inRooms(['lobby']), joining(), refused('BAD_CODE'), 'room lobby');
    play.took();
    expect(asks(play.keys('\x1b[200~ A1B2C\r\x1b[201~').keys('\r'))).toEqual([joining({ code: 'A1B2C' })]);
  });

  test('that has changed while we were away is said', () => {
    const play = inDen().client({ type: 'left', room: den, error: new BcastError('BAD_CODE') });
    expect(play.lastLine()).toBe('The code of this room has changed: /join den asks for it.');
    expect(play.state.mode).toEqual({ type: 'write' });
  });

  test('of a room that we made is told once, in its banner', () => {
    const play = Play.inRooms(['lobby']).keys('/create den --locked\r');
    play.client(joined('den', { access: 'locked', code: 'A1B2C', role: 'owner', owner: user('alice'), members: 1 }));
    expect(play.active.name).toBe('den');
    expect(play.lastLine()).toBe(
      'Nobody else is here. This room is locked: the server and whoever has the code can read it. ' +
        'The last 50 messages are kept for 30d. You own it.\n' +
        'Its code is A1B2C. The server will not say it again; /invite shows the URL with it.',
    );
    play.client(joined('den', { access: 'locked' }, true));
    expect(play.entries().filter((entry) => entry.type === 'notice' && entry.text.includes('A1B2C'))).toHaveLength(1);
  });
});

describe('a password', () => {
  test('is typed twice, unseen, and kept nowhere', () => {
    const play = inDen().keys('/password\r');
    expect(play.screen().at(-1)).toMatch(/new password: +$/);
    play.keys('correct horse\r');
    expect(play.screen().at(-1)).toMatch(/once more: +$/);
    play.took();
    expect(asks(play.keys('correct horse\r'))).toEqual([{ what: 'register', password: 'correct horse' }]);
    expect(JSON.stringify(play.state)).not.toContain('correct horse');
    answered(play, { what: 'register', password: 'correct horse' }, { type: 'done' });
    expect(play.state.isRegistered).toBe(true);
    expect(play.lastLine()).toMatch(/takes the password/);
  });

  test('that differs the second time is not set', () => {
    const play = inDen().keys('/password\rone\rother\r');
    expect(asks(play)).toEqual([]);
    expect(play.lastLine()).toMatch(/two different ones/);
    expect(JSON.stringify(play.state)).not.toContain('other');
  });

  test('that is empty is none', () => {
    const play = inDen().keys('/password\r\r');
    expect(play.state.mode).toEqual({ type: 'write' });
    expect(asks(play)).toEqual([]);
  });
});

test('a mute is told once: by us, or by what everybody hears of it', () => {
  const mute = { what: 'ban', penalty: 'mute', room: den, target: 'bob', durationMs: null, reason: null } as const;
  const play = inDen().client(presence('den', { change: 'join', name: bob }));
  play.client(presence('den', { change: 'mute', name: bob, other: user('alice') }));
  const lines = play.entries().length;
  answered(play, mute, { type: 'done' });
  expect(play.entries()).toHaveLength(lines);
  answered(play, { ...mute, target: '192.0.2.7' }, { type: 'done' });
  expect(play.lastLine()).toBe('192.0.2.7 may not speak here.');
});

describe('what others do', () => {
  test('to us is told to us', () => {
    const play = Play.inRooms(['lobby']);
    const me = user('alice');
    play.client(presence('lobby', { change: 'role', name: me, other: bob, text: 'moderator' }));
    expect(play.lastLine()).toBe('You are now moderator here, says bob');
    play.client(presence('lobby', { change: 'mute', name: me, other: bob, text: 'too loud' }));
    expect(play.lastLine()).toBe('You may not speak here, says bob: too loud');
    play.client(presence('lobby', { change: 'unmute', name: me, other: bob }));
    expect(play.lastLine()).toBe('You may speak here again');
  });

  test('when they invite us is told where we are', () => {
    const play = Play.inRooms(['lobby', 'builds']);
    play.client({ type: 'invited', room: den, by: bob, code: 'A1B2C' });
    expect(play.lastLine()).toBe('bob invites you to #den: /join den. Its code came along.');
    play.client({ type: 'invited', room: den, by: bob, code: null });
    expect(play.lastLine()).toBe('bob invites you to #den: /join den');
    play.keys('/ignore bob\r').client({ type: 'invited', room: den, by: bob, code: null });
    expect(play.lastLine()).toMatch(/no longer shown/);
  });

  test('when they publish is told where we are', () => {
    const published = {
      type: 'published',
      from: bob,
      fp: FINGERPRINT,
      kind: 'text',
      ts: NOON_MS,
      id: 'c'.repeat(32),
      body: 'news',
    } as const;
    const play = Play.inRooms(['lobby', 'builds']).client(published);
    expect(play.active.unread).toBe(0);
    expect(play.screen().join('\n')).toMatch(/bob {2}to followers: news/);
    play.keys('/ignore bob\r').client({ ...published, body: 'more news' });
    expect(play.screen().join('\n')).not.toMatch(/more news/);
  });
});

describe('a locked room', () => {
  test.each([120, 80, 40])('is marked in the list of rooms at %i columns', (columns) => {
    const play = new Play(columns).client(online(), joined('lobby'), joined('den', { access: 'locked' }));
    const screen = play.screen().join('\n');
    expect(screen).toMatch(/#den ?\s*\u{1f512}/u);
    expect(screen).not.toMatch(/#lobby *\u{1f512}/u);
  });
});

describe('what is on screen', () => {
  test('is told as seen, once, as far as the newest message', () => {
    const play = Play.inRooms(['lobby', 'builds']);
    play.client(message('lobby', 'bob', 'a', { seq: 4 }), message('lobby', 'bob', 'b', { seq: 5 }));
    expect(play.took().filter(({ type }) => type === 'seen')).toEqual([
      { type: 'seen', room: 'lobby', seq: 4 },
      { type: 'seen', room: 'lobby', seq: 5 },
    ]);
    play.client(message('builds', 'bob', 'c', { seq: 9 })).wait(1_000);
    expect(play.took().filter(({ type }) => type === 'seen')).toEqual([]);
    expect(play.key('M-2').took()).toContainEqual({ type: 'seen', room: 'builds', seq: 9 });
  });

  test('is not seen by who has scrolled back, or reads the help', () => {
    const play = Play.inRooms(['lobby']);
    for (let seq = 1; seq <= 60; seq += 1) play.client(message('lobby', 'bob', `m${seq}`, { seq }));
    play.key('pageup').took();
    play.client(message('lobby', 'bob', 'new', { seq: 61 }));
    expect(play.took().filter(({ type }) => type === 'seen')).toEqual([]);
    expect(play.key('M-end').took()).toContainEqual({ type: 'seen', room: 'lobby', seq: 61 });
    play.key('f1').client(message('lobby', 'bob', 'newer', { seq: 62 }));
    expect(play.took().filter(({ type }) => type === 'seen')).toEqual([]);
    expect(play.key('f1').took()).toContainEqual({ type: 'seen', room: 'lobby', seq: 62 });
  });
});
