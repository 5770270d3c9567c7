import { describe, expect, test } from 'vitest';
import { BcastError } from '../../../lib/errors.ts';
import { joined, message, NOON_MS, online, Play, presence, privately, room, user } from './play.ts';

describe('messages', () => {
  test('in the room on screen are read, in others they are counted', () => {
    const play = Play.inRooms(['lobby', 'builds']).client(
      message('lobby', 'bob', 'a'),
      message('builds', 'bob', 'b'),
      message('builds', 'bob', 'c'),
    );
    expect(play.window('lobby').unread).toBe(0);
    expect(play.window('builds')).toMatchObject({ unread: 2, mentions: 0 });
    play.key('M-2');
    expect(play.window('builds')).toMatchObject({ unread: 0, newFrom: expect.any(Number) });
    expect(play.screen().join('\n')).toMatch(/─ new ─/);
    play.key('M-1').key('M-2');
    expect(play.screen().join('\n')).not.toMatch(/─ new ─/);
  });

  test.each([
    ['alice: hi', true],
    ['hi ALICE!', true],
    ['(alice)', true],
    ['see alice.', true],
    ['alices', false],
    ['malice', false],
    ['alice-2 is not me', false],
    ['alice.b is not me', false],
    ['álice', false],
    ['hi @alice', true],
    ['', false],
  ])('%j mentions alice: %s', (body, isMention) => {
    const play = Play.inRooms(['lobby', 'builds']).client(message('builds', 'bob', body));
    expect(play.window('builds').mentions).toBe(isMention ? 1 : 0);
    expect(play.took().some(({ type }) => type === 'bell')).toBe(isMention);
  });

  test('of our own mention nobody and count nowhere', () => {
    const play = Play.inRooms(['lobby', 'builds']).client(message('builds', 'Alice', 'alice alice'));
    expect(play.window('builds')).toMatchObject({ unread: 0, mentions: 0 });
  });

  test('from history count nowhere', () => {
    const play = Play.inRooms(['lobby', 'builds']).client(message('builds', 'bob', 'alice', { isHistory: true }));
    expect(play.window('builds')).toMatchObject({ unread: 0, mentions: 0 });
    expect(play.took()).toEqual([]);
  });

  test('ring the bell once for a burst', () => {
    const play = Play.inRooms(['lobby']).client(message('lobby', 'bob', 'alice'), message('lobby', 'bob', 'alice'));
    expect(play.took().filter(({ type }) => type === 'bell')).toHaveLength(1);
    play.wait(5_000).client(message('lobby', 'bob', 'alice'));
    expect(play.took().filter(({ type }) => type === 'bell')).toHaveLength(1);
  });

  test('in private open a window in the back', () => {
    const play = Play.inRooms(['lobby']).client(privately('bob', 'alice', 'psst'));
    expect(play.active.name).toBe('lobby');
    expect(play.window('bob')).toMatchObject({ kind: 'query', unread: 1, mentions: 1 });
    play.client(privately('alice', 'bob', 'from my other terminal'));
    expect(play.window('bob')).toMatchObject({ unread: 1 });
  });
});

describe('a room', () => {
  test('says who can read, how much is kept and who owns it, below its history', () => {
    const play = new Play().client(
      online(),
      joined('lobby', { first: 1, last: 2, owner: user('bob'), keep: 50, members: 3 }),
    );
    play.client(message('lobby', 'bob', 'one', { seq: 1, isHistory: true }));
    expect(play.lastLine()).toBe('<bob> one');
    play.client(message('lobby', 'bob', 'two', { seq: 2, isHistory: true }));
    expect(play.lastLine()).toBe(
      '3 people are here. The server and whoever joins can read this room. The last 50 messages are kept for 30d. bob owns it.',
    );
  });

  test('without history says it at once', () => {
    expect(new Play().client(online(), joined('lobby')).lastLine()).toMatch(/can read this room/);
  });

  test('asks for its members on every join', () => {
    const play = new Play().client(online(), joined('lobby'));
    const ask = { type: 'ask', ask: { what: 'names', room: 'lobby', isShown: false }, window: 'room lobby' };
    expect(play.took()).toContainEqual(ask);
    play.client(joined('lobby', {}, true));
    expect(play.took()).toContainEqual(ask);
  });

  test('comes to the front when asked for, and stays in the back otherwise', () => {
    const play = Play.inRooms(['lobby']).client(joined('builds'));
    expect(play.active.name).toBe('lobby');
    play.keys('/join ops\r').client(joined('ops'));
    expect(play.active.name).toBe('ops');
  });

  test('that is left is gone, and the one before it is shown', () => {
    const play = Play.inRooms(['lobby', 'builds'])
      .key('M-2')
      .client({ type: 'left', room: room('builds') });
    expect(play.state.windows.map(({ name }) => name)).toEqual(['bcast', 'lobby']);
    expect(play.active.name).toBe('lobby');
  });

  test('the last one left shows home again', () => {
    const play = Play.inRooms(['lobby']).client({ type: 'left', room: room('lobby') });
    expect(play.active.kind).toBe('home');
  });

  test('that would not have us again stays and says why', () => {
    const play = Play.inRooms(['lobby']).client({
      type: 'left',
      room: room('lobby'),
      error: new BcastError('ROOM_BANNED'),
    });
    expect(play.active).toMatchObject({ name: 'lobby', isJoined: false });
    expect(play.lastLine()).toBe('You are banned from that room.');
    play.took();
    play.keys('hello\r');
    expect(play.took()).toEqual([]);
    expect(play.lastLine()).toMatch(/\/join lobby/);
  });

  test('we were put out of says by whom and until when', () => {
    const untilMs = NOON_MS + 600_000;
    const play = Play.inRooms(['lobby']).client({
      type: 'removed',
      room: room('lobby'),
      removal: 'ban',
      by: user('bob'),
      reason: 'spam',
      untilMs,
    });
    expect(play.lastLine()).toBe('bob banned you from this room until 14:12: spam');
    expect(play.active.isJoined).toBe(false);
  });

  test.each([
    [
      { type: 'gap', room: room('lobby'), first: 3, last: 7 } as const,
      '5 messages are missing here: the server no longer has them.',
    ],
    [
      { type: 'gap', room: room('lobby'), first: 3, last: 3 } as const,
      '1 message is missing here: the server no longer has them.',
    ],
    [{ type: 'forgotten', room: room('lobby') } as const, /forgotten this room/],
    [{ type: 'lagged', room: room('lobby'), dropped: 12 } as const, /12 messages are being fetched again/],
    [
      { type: 'topic', room: room('lobby'), topic: 'Friday', by: user('bob'), ts: NOON_MS } as const,
      'bob set the topic: Friday',
    ],
    [
      { type: 'topic', room: room('lobby'), topic: null, by: user('bob'), ts: NOON_MS } as const,
      'bob cleared the topic',
    ],
    [{ type: 'renamed', name: user('alicia') } as const, 'You are now known as alicia.'],
  ])('%o is told in the pane', (event, says) => {
    const line = Play.inRooms(['lobby']).client(event).lastLine();
    if (typeof says === 'string') expect(line).toBe(says);
    else expect(line).toMatch(says);
  });
});

describe('people', () => {
  const members = (play: Play): string[] =>
    play.window('lobby').members.map(({ name, role, away }) => `${name}/${role}${away === null ? '' : `/${away}`}`);

  test('come and go in the list and in a shared line', () => {
    const play = Play.inRooms(['lobby']);
    play.client(presence('lobby', { change: 'join', name: user('bob') }, { change: 'join', name: user('Carol') }));
    expect(members(play)).toEqual(['bob/member', 'Carol/member']);
    expect(play.lastLine()).toBe('bob Carol joined');
    play.client(presence('lobby', { change: 'leave', name: user('bob') }));
    play.client(presence('lobby', { change: 'join', name: user('bob'), text: 'owner' }));
    expect(members(play)).toEqual(['bob/owner', 'Carol/member']);
    expect(play.lastLine()).toBe('bob joined');
    play.client(presence('lobby', { change: 'join', name: user('dave') }));
    expect(play.lastLine()).toBe('bob dave joined');
    play.client(presence('lobby', { change: 'leave', name: user('BOB') }));
    expect(members(play)).toEqual(['Carol/member', 'dave/member']);
  });

  test('are in the list as the server has them, and when news was left out it is asked again', () => {
    const play = Play.inRooms(['lobby']).client(presence('lobby', { change: 'join', name: user('bob') }));
    const row = { name: user('carol'), role: 'owner', away: null } as const;
    play.client({ type: 'members', room: room('lobby'), members: [row] });
    expect(members(play)).toEqual(['carol/owner']);
    const ask = { what: 'names', room: room('lobby'), isShown: false } as const;
    play.client(presence('lobby', { change: 'join', name: user('bob') }));
    play.event({ type: 'answered', ask, window: 'room lobby', answer: { type: 'members', members: [row] } });
    expect(members(play)).toEqual(['bob/member', 'carol/owner']);
    play.took();
    play.client({ type: 'lagged', room: room('lobby'), dropped: 3 });
    expect(play.took()).toEqual([{ type: 'ask', ask, window: 'room lobby' }]);
  });

  test('by the hundred take one line', () => {
    const play = Play.inRooms(['lobby']);
    const before = play.entries().length;
    const changes = Array.from({ length: 300 }, (_, index) => ({ change: 'join', name: user(`n${index}`) }) as const);
    play.client(presence('lobby', ...changes));
    expect(play.entries()).toHaveLength(before + 1);
    expect(play.lastLine()).toMatch(/n0 .* and 292 more joined$/);
  });

  test('change their names, roles and whereabouts', () => {
    const play = Play.inRooms(['lobby']).client(presence('lobby', { change: 'join', name: user('bob') }));
    play.client(presence('lobby', { change: 'away', name: user('bob'), text: 'lunch' }));
    expect(members(play)).toEqual(['bob/member/lunch']);
    play.client(presence('lobby', { change: 'nick', name: user('bob'), other: user('rob') }));
    expect(play.lastLine()).toBe('bob is now rob');
    play.client(
      presence(
        'lobby',
        { change: 'back', name: user('rob') },
        { change: 'role', name: user('rob'), text: 'moderator' },
      ),
    );
    expect(members(play)).toEqual(['rob/moderator']);
    play.client(presence('lobby', { change: 'kick', name: user('rob'), other: user('carol'), text: 'spam' }));
    play.client(presence('lobby', { change: 'join', name: user('dave') }, { change: 'leave', name: user('rob') }));
    expect(play.entries().slice(-2)).toMatchObject([
      { who: ['rob'], text: 'was put out by carol: spam' },
      { who: ['dave'], text: 'joined' },
    ]);
    expect(members(play)).toEqual(['dave/member']);
  });

  test('a conversation follows the other to a new name', () => {
    const play = Play.inRooms(['lobby']).client(privately('bob', 'alice', 'hi'));
    play.client(presence('lobby', { change: 'nick', name: user('bob'), other: user('rob') }));
    expect(play.state.windows.map(({ name }) => name)).toContain('rob');
  });

  test('what we do ourselves takes no line', () => {
    const play = Play.inRooms(['lobby']);
    const before = play.entries().length;
    play.client(presence('lobby', { change: 'join', name: user('Alice') }));
    expect(play.entries()).toHaveLength(before);
  });

  test('that a room is slow to open is said while it is', () => {
    const play = Play.inRooms(['lobby']).keys('/join dev\r');
    expect(play.screen().join('\n')).toMatch(/entering #dev…/);
    play.client(joined('dev'));
    expect(play.screen().join('\n')).not.toMatch(/entering/);
  });

  test('are shown typing for a while, and no longer when they have spoken', () => {
    const play = Play.inRooms(['lobby']).client({ type: 'typing', room: room('lobby'), name: user('bob') });
    expect(play.screen().join('\n')).toMatch(/bob is typing…/);
    play.client({ type: 'typing', room: room('lobby'), name: user('carol') });
    expect(play.screen().join('\n')).toMatch(/bob and carol are typing…/);
    play.client(message('lobby', 'bob', 'done'));
    expect(play.screen().join('\n')).toMatch(/carol is typing…/);
    play.wait(7_000);
    expect(play.screen().join('\n')).not.toMatch(/typing/);
  });
});

describe('the connection', () => {
  const offline = (attempt: number, retryInMs = 4_000) =>
    ({
      type: 'status',
      status: { state: 'offline', error: new BcastError('CONNECTION_LOST'), retryInMs, attempt },
    }) as const;

  test('lost is said once in every room, and counts down in the status line', () => {
    const play = Play.inRooms(['lobby', 'builds']);
    const before = play.entries('builds').length;
    play.client(offline(1));
    expect(play.lastLine()).toMatch(/^The connection was lost\. Trying again in 4s/);
    expect(play.entries('builds')).toHaveLength(before + 1);
    expect(play.screen().at(-2)).toMatch(/offline, trying again in 4s/);
    play.wait(2_000);
    expect(play.screen().at(-2)).toMatch(/trying again in 2s/);
    play.client(offline(2, 8_000));
    expect(play.entries('builds')).toHaveLength(before + 1);
    expect(play.screen().at(-2)).toMatch(/trying again in 8s \(attempt 2\)/);
    play.client({ type: 'status', status: { state: 'connecting' } }, online(true));
    expect(play.lastLine()).toBe('Connected again.');
    expect(play.screen().at(-2)).toMatch(/●/);
  });

  test('that comes back finds us away if we were', () => {
    const play = Play.inRooms(['lobby']);
    const ask = { what: 'away', text: 'lunch' } as const;
    play
      .event({ type: 'answered', ask, window: 'room lobby', answer: { type: 'done' } })
      .client(offline(1), online(true));
    expect(play.took()).toContainEqual({ type: 'ask', ask, window: 'room lobby' });
  });

  test('what is said meanwhile is kept and shown', () => {
    const play = Play.inRooms(['lobby']).client(offline(1)).keys('still here?\r');
    expect(play.took()).toContainEqual({ type: 'say', ticket: 1, room: 'lobby', kind: 'text', body: 'still here?' });
    expect(play.screen().join('\n')).toMatch(/… {2}still here\?/);
  });

  test('closed for good ends the program with the reason', () => {
    const error = new BcastError('KICKED', { text: 'You were removed: spam' });
    const play = Play.inRooms(['lobby']).client({ type: 'status', status: { state: 'closed', error } });
    expect(play.state.outcome).toEqual({ error });
    play.keys('x\r');
    expect(play.took()).toEqual([]);
  });

  test('slowed down says so for as long as it lasts', () => {
    const play = Play.inRooms(['lobby']).client({ type: 'slowDown', retryAfterMs: 3_000 });
    expect(play.screen().at(-2)).toMatch(/slowed down/);
    play.wait(3_100);
    expect(play.screen().at(-2)).not.toMatch(/slowed down/);
  });

  test('the status line names the server, its trust, the delay and the suite', () => {
    const play = Play.inRooms(['lobby'], 120, 30).client({ type: 'latency', roundTripMs: 12.4 });
    expect(play.screen().at(-2)).toMatch(
      /● alice {3}12 ms {3}chat\.example\.org:9000 {3}known SHA256:AAAAAAAA… {3}X25519\+ML-KEM secretbox/,
    );
  });

  test('the message of the day stands below the first room', () => {
    const play = new Play();
    const event = online();
    if (event.type !== 'status' || event.status.state !== 'online') throw new Error('unreachable');
    play.client(
      { type: 'status', status: { ...event.status, motd: 'Welcome.\nBe kind.' } },
      joined('lobby'),
      joined('builds'),
    );
    expect(play.lastLine()).toMatch(/30d\.\nWelcome\.\nBe kind\.$/);
    expect(play.entries('builds').at(-1)).not.toMatchObject({ text: expect.stringContaining('Welcome.') });
  });
});
