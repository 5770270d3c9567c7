import { describe, expect, test } from 'vitest';
import type { Client, ClientEvent } from '../../lib/client/client.ts';
import { BcastError } from '../../lib/errors.ts';
import { requireUserName, type UserName } from '../../lib/protocol/names.ts';
import { ManualClock } from '../helpers/manual-clock.ts';
import { newIdentity } from '../helpers/peer.ts';
import { comeBack, inLobby, online, outcome } from '../helpers/scripted-client.ts';
import { BOB, BOB_FP, LOBBY, messageEvent, pastOf, ScriptedServer, settle } from '../helpers/scripted-server.ts';

describe('connecting', () => {
  test('says hello with the name and the agent, and is online', async () => {
    const { client, server, told } = await online(undefined, { agent: 'bot 1' });
    expect((await server.line(0)).hellos).toMatchObject([{ name: 'alice', agent: 'bot 1' }]);
    expect(client.name).toBe('alice');
    expect(client.maxBodyBytes).toBe(16_384);
    expect(client.status).toMatchObject({
      state: 'online',
      isReconnect: false,
      server: { address: 'scripted.test:7000', fingerprint: server.identity.fingerprint, suite: 4, trust: 'pinned' },
    });
    expect(told()).toEqual(['connecting', 'online']);
  });

  test.each([1, 2, 3, 4])('offers suite %i when told to', async (suite) => {
    const { client } = await online(undefined, { suite });
    expect(client.status).toMatchObject({ server: { suite } });
  });

  test('reveals nothing to a server it does not trust', async () => {
    const server = new ScriptedServer();
    const trust = { fingerprint: newIdentity().fingerprint };
    expect(await outcome(online(server, { trust }))).toBe('SERVER_CHANGED');
    await settle();
    expect(server.lines).toMatchObject([{ isOpen: false, isClosed: true }]);
    expect(server.attempts).toBe(1);
  });

  test('asks about an unknown server with the connection closed, and makes it anew after a yes', async () => {
    const server = new ScriptedServer();
    const asked: unknown[] = [];
    const ask = async (...question: string[]) => {
      await settle();
      asked.push([...question, server.lines[0]?.isClosed]);
      return true;
    };
    const { client } = await online(server, { trust: { ask } });
    expect(asked).toEqual([['scripted.test:7000', server.identity.fingerprint, true]]);
    expect(client.status).toMatchObject({ state: 'online', server: { trust: 'accepted' } });
    expect(server.attempts).toBe(2);
  });

  test('is refused by a no', async () => {
    const server = new ScriptedServer();
    expect(await outcome(online(server, { trust: { ask: async () => false } }))).toBe('SERVER_UNKNOWN');
    expect(server.attempts).toBe(1);
  });

  test('is not tried under a name that nobody may bear', async () => {
    const server = new ScriptedServer();
    await expect(online(server, { user: 'Operator' })).rejects.toMatchObject({ code: 'NAME_INVALID' });
    expect(server.attempts).toBe(0);
  });

  test('passes on why it could not be', async () => {
    const server = new ScriptedServer();
    server.refusals.push(new BcastError('CONNECT_FAILED', { text: 'nobody there' }));
    await expect(online(server)).rejects.toMatchObject({ code: 'CONNECT_FAILED', message: 'nobody there' });
    expect(server.attempts).toBe(1);
  });

  test('cut before the welcome has reached nobody, which is not a loss', async () => {
    const server = new ScriptedServer();
    server.answers.push((line, { type }) => {
      if (type === 'hello') line.cut();
      return type === 'hello';
    });
    expect(await outcome(online(server))).toBe('CONNECT_FAILED');
  });

  test('gives up on a server that says nothing', async () => {
    const server = new ScriptedServer();
    server.isMute = true;
    const clock = new ManualClock();
    const result = outcome(online(server, { clock }));
    const line = await server.line(0);
    clock.advance(14_999);
    await settle();
    expect(line.isClosed).toBe(false);
    clock.advance(1);
    expect(await result).toBe('CONNECT_FAILED');
    await settle();
    expect(line.isClosed).toBe(true);
    expect(clock.pendingTimers).toBe(0);
  });

  test('gives up on a transport that never opens', async () => {
    const clock = new ManualClock();
    const result = outcome(online(undefined, { clock, openTransport: () => new Promise(() => undefined) }));
    await settle();
    clock.advance(15_000);
    expect(await result).toBe('CONNECT_FAILED');
  });

  test.each(['NAME_IN_USE', 'NAME_INVALID', 'TOO_MANY_SESSIONS', 'BANNED'] as const)(
    'does not repeat a hello that is refused with %s',
    async (code) => {
      const server = new ScriptedServer();
      server.answers.push((line, request) => {
        if (request.type !== 'hello') return false;
        line.refuse(request, code, { text: 'no' });
        line.end(code);
        return true;
      });
      await expect(online(server)).rejects.toMatchObject({ code, message: 'no' });
      expect(server.attempts).toBe(1);
    },
  );

  test('waits for a full server that says when to come again', async () => {
    const server = new ScriptedServer();
    server.refusals.push(new BcastError('SERVER_FULL', { retryAfterMs: 5_000 }));
    const clock = new ManualClock();
    const setup = online(server, { clock });
    await settle();
    expect(server.attempts).toBe(1);
    clock.advance(5_000);
    expect((await setup).told()).toEqual(['connecting', 'offline SERVER_FULL', 'connecting', 'online']);
  });

  test('does not wait for one that is full for long, or does not say', async () => {
    for (const retryAfterMs of [31_000, undefined]) {
      const server = new ScriptedServer();
      server.refusals.push(new BcastError('SERVER_FULL', { retryAfterMs }));
      expect(await outcome(online(server))).toBe('SERVER_FULL');
    }
  });

  test('ends when its owner has waited long enough, at whatever it is then', async () => {
    const early = new AbortController();
    early.abort();
    const unasked = new ScriptedServer();
    expect(await outcome(online(unasked, { signal: early.signal }))).toBe('CLOSED');
    expect(unasked.attempts).toBe(0);

    const dialling = new AbortController();
    const mute = new ScriptedServer();
    mute.isMute = true;
    const clock = new ManualClock();
    const result = outcome(online(mute, { clock, signal: dialling.signal }));
    const line = await mute.line(0);
    dialling.abort();
    expect(await result).toBe('CLOSED');
    await settle();
    expect([line.isClosed, clock.pendingTimers]).toEqual([true, 0]);

    const waiting = new AbortController();
    const busy = new ScriptedServer();
    busy.refusals.push(new BcastError('SERVER_FULL', { retryAfterMs: 5_000 }));
    const refused = outcome(online(busy, { clock, signal: waiting.signal }));
    await settle();
    waiting.abort();
    expect(await refused).toBe('CLOSED');
    expect(clock.pendingTimers).toBe(0);
  });

  test.each([
    [{ user: 'a b' }, 'NAME_INVALID'],
    [{ user: undefined as never }, 'USAGE'],
    [{ server: 'https://x' }, 'USAGE'],
    [{ agent: 'x'.repeat(65) }, 'USAGE'],
    [{ suite: 9 }, 'SUITE_UNSUPPORTED'],
  ])('with %j is refused as %s, and not tried', async (over, code) => {
    const server = new ScriptedServer();
    expect(await outcome(online(server, over))).toBe(code);
    expect(server.attempts).toBe(0);
  });
});

describe('asking', () => {
  test('gathers the rows that come before the ok', async () => {
    const { client, server } = await online();
    const line = await server.line(0);
    const rooms = client.rooms();
    const { req } = await line.next('rooms');
    const row = (name: string) => ({ room: name as typeof LOBBY, members: 1, access: 'open' as const, topic: null });
    line.tell({ type: 'rooms', req, rooms: [row('a')] }, { type: 'rooms', req, rooms: [row('b')] });
    line.ok({ req });
    expect((await rooms).map(({ room }) => room)).toEqual(['a', 'b']);
  });

  test.each<[string, (client: Client) => Promise<unknown>, object]>([
    ['nick', (client) => client.nick('al'), { name: 'al' }],
    ['topic', (client) => client.topic('lobby', null), { room: 'lobby', topic: null }],
    ['away', (client) => client.away('lunch'), { text: 'lunch' }],
    ['typing', (client) => client.typing('lobby'), { room: 'lobby' }],
    ['kick', (client) => client.kick('lobby', 'bob', 'spam'), { room: 'lobby', name: 'bob', reason: 'spam' }],
    ['kick', (client) => client.kick(null, 'bob'), { room: null, name: 'bob', reason: null }],
    [
      'ban',
      (client) => client.ban('lobby', 'bob', 5, 'x'),
      { room: 'lobby', target: 'bob', durationMs: 5, reason: 'x' },
    ],
    ['unban', (client) => client.unban(null, '10.0.0.1'), { room: null, target: '10.0.0.1' }],
    ['publish', (client) => client.publish('news'), { body: 'news', kind: 'text' }],
    ['tell', (client) => client.tell('bob', 'psst', { kind: 'action' }), { to: 'bob', body: 'psst', kind: 'action' }],
  ])('for %s says what is meant', async (type, call, expected) => {
    const { client, server } = await online();
    const line = await server.line(0);
    const done = call(client);
    const request = await line.next(type as 'ping');
    expect(request).toMatchObject(expected);
    line.ok(request);
    await done;
  });

  test('for bans and for somebody gets what the server knows', async () => {
    const { client, server } = await online();
    const line = await server.line(0);
    const bans = client.bans('lobby');
    const asked = await line.next('bans');
    const ban = { target: 'bob', by: BOB, untilMs: null, reason: null };
    line.tell({ type: 'bans', req: asked.req, bans: [ban] });
    line.ok(asked);
    expect(await bans).toEqual([ban]);
    const whois = client.whois('bob');
    const { req } = await line.next('whois');
    const rest = {
      role: 'member',
      away: null,
      rooms: [],
      sessions: 1,
      sinceMs: 1,
      idleMs: 2,
      registered: false,
    } as const;
    line.tell({ type: 'user', req, name: BOB, fp: BOB_FP, ...rest });
    line.ok({ req });
    expect(await whois).toMatchObject({ name: 'bob', fp: BOB_FP, idleMs: 2, registered: false });
  });

  test('passes a refusal on with all it says', async () => {
    const { client, server } = await online();
    const line = await server.line(0);
    const topic = client.topic('lobby', 'x');
    line.refuse(await line.next('topic'), 'NOT_ALLOWED', { text: 'Only a moderator.' });
    await expect(topic).rejects.toMatchObject({ code: 'NOT_ALLOWED', message: 'Only a moderator.' });
  });

  test('for the names of a room is told in its place among who comes and goes', async () => {
    const { client, server } = await online();
    const line = await server.line(0);
    const seen: string[] = [];
    client.subscribe((event) => {
      if (event.type === 'presence') seen.push(...event.changes.map(({ change, name }) => `${change} ${name}`));
      if (event.type === 'members') seen.push(event.members.map(({ name }) => name).join(' '));
    });
    const names = client.names('lobby');
    const { req } = await line.next('names');
    const comes = (name: UserName) => ({ change: 'join', name, other: null, text: null }) as const;
    line.tell(
      { type: 'presence', room: LOBBY, changes: [comes(BOB)] },
      { type: 'members', req, room: LOBBY, members: [{ name: BOB, role: 'owner', away: null }] },
      { type: 'ok', req, seq: null, ts: null },
      { type: 'presence', room: LOBBY, changes: [comes(requireUserName('carol'))] },
    );
    expect(await names).toEqual([{ name: 'bob', role: 'owner', away: null }]);
    expect(seen).toEqual(['join bob', 'bob', 'join carol']);
  });

  test('too fast is asked again when it may', async () => {
    const { client, server, clock, told } = await online();
    const line = await server.line(0);
    const names = client.names('lobby');
    line.refuse(await line.next('names'), 'SLOW_DOWN', { retryAfterMs: 200 });
    await settle();
    clock.advance(200);
    line.ok(await line.next('names'));
    expect(await names).toEqual([]);
    expect(told()).toContain('slow 200');
  });

  test('too fast is lost with the connection, and not asked on the next', async () => {
    const setup = await online();
    const { client, server, clock } = setup;
    const line = await server.line(0);
    const names = outcome(client.names('lobby'));
    line.refuse(await line.next('names'), 'SLOW_DOWN', { retryAfterMs: 20_000 });
    await settle();
    line.cut();
    expect(await names).toBe('CONNECTION_LOST');
    const next = await comeBack(setup, 1);
    clock.advance(20_000);
    await settle();
    expect(next.requests).toEqual([]);
  });

  test('without an answer until the connection goes is lost, and without a connection too', async () => {
    const { client, server } = await online();
    const line = await server.line(0);
    const names = outcome(client.names('lobby'));
    await line.next('names');
    line.cut();
    expect(await names).toBe('CONNECTION_LOST');
    expect(await outcome(client.names('lobby'))).toBe('CONNECTION_LOST');
    await client.close();
    expect(await outcome(client.names('lobby'))).toBe('CLOSED');
  });

  test('for more history than fits a page takes several', async () => {
    const { client, server } = await online();
    const line = await server.line(0);
    const history = client.history('lobby', { beforeSeq: 301, limit: 250 });
    const page = (from: number, to: number) =>
      Array.from({ length: to - from + 1 }, (_, i) => pastOf(messageEvent(from + i)));
    const first = await line.next('history');
    expect(first).toMatchObject({ before: 301, after: null, limit: 200 });
    line.tell({ type: 'history', req: first.req, room: LOBBY, messages: page(101, 300) });
    line.ok(first);
    const second = await line.next('history');
    expect(second).toMatchObject({ before: 101, limit: 50 });
    line.tell({ type: 'history', req: second.req, room: LOBBY, messages: page(51, 100) });
    line.ok(second);
    expect((await history).map(({ seq }) => seq)).toEqual(Array.from({ length: 250 }, (_, i) => i + 51));
  });

  test('for what the server would take for a broken message is refused here', async () => {
    const { client, server } = await inLobby();
    const calls = [
      client.say('lobby', 'x'.repeat(16_385)),
      client.say('lobby', '\ud800'),
      client.say('lobby', 'x', { id: 'nonsense' }),
      client.say('lo bby', 'x'),
      client.tell('b ob', 'x'),
      client.topic('lobby', 'x'.repeat(1_025)),
      client.away('x'.repeat(513)),
      client.kick('lobby', 'bob', 'x'.repeat(513)),
      client.ban(null, 'x'.repeat(201), null),
      client.ban(null, 'x', null, 'é'.repeat(257)),
      client.unban(null, 'x'.repeat(201)),
      client.nick('Operator'),
    ];
    expect(await Promise.all(calls.map(outcome))).toEqual([
      'MESSAGE_TOO_LARGE',
      'BAD_REQUEST',
      'BAD_REQUEST',
      'ROOM_NAME_INVALID',
      'NAME_INVALID',
      ...Array.from({ length: 6 }, () => 'BAD_REQUEST'),
      'NAME_INVALID',
    ]);
    await settle();
    expect((await server.line(0)).requests).toEqual([]);
  });
});

describe('speed', () => {
  test('what is refused for it is said again in order, and nothing overtakes it', async () => {
    const { client, server, clock, told } = await inLobby();
    const line = await server.line(0);
    const said = ['a', 'b', 'c'].map((body) => client.say('lobby', body));
    line.ok(await line.next('say'), 1);
    line.refuse(await line.next('say'), 'SLOW_DOWN', { retryAfterMs: 400 });
    line.refuse(await line.next('say'), 'SLOW_DOWN', { retryAfterMs: 400 });
    await settle();
    said.push(client.say('lobby', 'd'));
    await settle();
    expect(line.requests).toEqual([]);
    clock.advance(400);
    for (const [i, body] of ['b', 'c', 'd'].entries()) {
      const request = await line.next('say');
      expect(request.body).toBe(body);
      line.ok(request, i + 2);
    }
    expect((await Promise.all(said)).map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
    expect(told().filter((text) => text.startsWith('alice'))).toEqual([
      'alice 1 a',
      'alice 2 b',
      'alice 3 c',
      'alice 4 d',
    ]);
    expect(told().filter((text) => text.startsWith('slow'))).toEqual(['slow 400']);
  });
});

describe('silence', () => {
  test('after a ping is a cut', async () => {
    const setup = await online(new ScriptedServer({ idleTimeoutMs: 30_000 }));
    const { server, clock, told } = setup;
    (await server.line(0)).transport.pause();
    await settle();
    clock.advance(10_000);
    await settle();
    clock.advance(10_000);
    await settle();
    expect(told()).toEqual(['connecting', 'online', 'offline CONNECTION_LOST']);
  });

  test('of our own choice is none', async () => {
    const { client, server, clock, told } = await inLobby();
    const line = await server.line(0);
    client.pause();
    line.message(1);
    for (let i = 0; i < 20; i += 1) {
      clock.advance(20_000);
      await settle();
    }
    expect(told()).toEqual([]);
    client.resume();
    await settle();
    expect(told()).toEqual(['bob 1 m1']);
    expect(client.status.state).toBe('online');
  });

  test('of the owner lasts over a cut', async () => {
    const setup = await inLobby();
    const { client, server, told } = setup;
    client.pause();
    const line = await server.line(0);
    line.cut();
    const next = await comeBack(setup, 1);
    next.admit(await next.next('join'));
    next.message(1);
    await settle();
    expect(told().at(-1)).toBe('online');
    client.resume();
    await settle();
    expect(told().at(-1)).toBe('bob 1 m1');
  });
});

describe('a broken message', () => {
  test('closes the connection for good', async () => {
    const { client, server } = await online();
    (await server.line(0)).tellRaw(Uint8Array.of(0, 0, 0, 2, 0x81, 0x00));
    await settle();
    expect(client.status).toMatchObject({ state: 'closed', error: { code: 'BAD_MESSAGE' } });
  });

  test('so does an answer nobody asked for', async () => {
    const { client, server } = await online();
    (await server.line(0)).ok({ req: 4_000_000 });
    await settle();
    expect(client.status).toMatchObject({ state: 'closed', error: { code: 'BAD_MESSAGE' } });
  });
});

describe('closing', () => {
  test('ends everything and rejects what was not acknowledged', async () => {
    const { client, server, told, clock } = await inLobby();
    const said = outcome(client.say('lobby', 'x'));
    const joining = outcome(client.join('attic'));
    await (await server.line(0)).next('say');
    await client.close();
    expect([await said, await joining]).toEqual(['CLOSED', 'CLOSED']);
    expect((await server.line(0)).isClosed).toBe(true);
    expect(told()).toEqual(['closed']);
    expect(clock.pendingTimers).toBe(0);
    await client.close();
  });

  test('waits for acknowledgements when asked to', async () => {
    const { client, server } = await inLobby();
    const line = await server.line(0);
    const said = client.say('lobby', 'x');
    const closing = client.close({ drainTimeoutMs: 5_000 });
    const request = await line.next('say');
    await settle();
    expect(line.isClosed).toBe(false);
    line.ok(request, 1);
    await closing;
    expect(await said).toMatchObject({ seq: 1 });
  });

  test('does not wait for what was refused, nor longer than asked to', async () => {
    const first = await inLobby();
    const line = await first.server.line(0);
    const refused = outcome(first.client.say('lobby', 'x'));
    const closing = first.client.close({ drainTimeoutMs: 5_000 });
    line.refuse(await line.next('say'), 'NOT_ALLOWED');
    await closing;
    expect(await refused).toBe('NOT_ALLOWED');

    const second = await inLobby();
    const unanswered = outcome(second.client.say('lobby', 'x'));
    const late = second.client.close({ drainTimeoutMs: 5_000 });
    await settle();
    second.clock.advance(5_000);
    await late;
    expect(await unanswered).toBe('CLOSED');
  });

  test('while offline makes no more attempts', async () => {
    const { client, server, clock } = await online();
    (await server.line(0)).cut();
    await settle();
    await client.close();
    expect(clock.pendingTimers).toBe(0);
    clock.advance(600_000);
    await settle();
    expect(server.attempts).toBe(1);
  });

  test('while coming back ends the attempt', async () => {
    const { client, server, clock } = await online();
    (await server.line(0)).cut();
    await settle();
    server.isMute = true;
    clock.advance(500);
    const line = await server.line(1);
    await settle();
    await client.close();
    await settle();
    expect(line.isClosed).toBe(true);
    expect(client.status).toEqual({ state: 'closed' });
    expect(clock.pendingTimers).toBe(0);
  });

  test('at the first word of being online leaves nothing running', async () => {
    const clock = new ManualClock();
    const { client, server } = await online(undefined, { clock });
    client.subscribe((event) => {
      if (event.type === 'status' && event.status.state === 'online') void client.close();
    });
    (await server.line(0)).cut();
    await settle();
    clock.advance(500);
    await server.line(1);
    await settle();
    expect(client.status).toEqual({ state: 'closed' });
    expect(clock.pendingTimers).toBe(0);
  });

  test('from within a listener is no trouble', async () => {
    const { client, server, told } = await inLobby();
    client.subscribe((event) => {
      if (event.type === 'message') void client.close();
    });
    const line = await server.line(0);
    line.tell(messageEvent(1), messageEvent(2));
    await settle();
    expect(told()).toEqual(['bob 1 m1', 'closed']);
  });
});

test('iterating yields what listening hears', async () => {
  const { client, server, events } = await online();
  const joining = client.join('lobby');
  const line = await server.line(0);
  line.admit(await line.next('join'));
  await joining;
  const seen: ClientEvent[] = [];
  const reading = (async () => {
    for await (const event of client) {
      seen.push(event);
      if (event.type === 'message' && event.seq === 3) break;
    }
  })();
  for (const seq of [1, 2, 3, 4]) line.message(seq);
  await reading;
  expect(seen).toEqual(events.filter((event) => event.type === 'message' && event.seq <= 3));
  expect(BOB_FP).toBe((seen[0] as { fp?: string }).fp);
});
