import { describe, expect, onTestFinished, test } from 'vitest';
import { connect, type Receipt } from '../../lib/client/client.ts';
import { BcastError } from '../../lib/errors.ts';
import { ManualClock } from '../helpers/manual-clock.ts';
import { comeBack, identity, inLobby, online, outcome, type Setup, short } from '../helpers/scripted-client.ts';
import {
  BOB,
  LOBBY,
  messageEvent,
  pastOf,
  type ScriptedLine,
  ScriptedServer,
  settle,
} from '../helpers/scripted-server.ts';

describe('a cut', () => {
  /** In the lobby after four messages, comes back and is let in where `last` were said. */
  async function cutAndBack(setup: Setup, last: number): Promise<ScriptedLine> {
    (await setup.server.line(0)).cut();
    const line = await comeBack(setup, 1);
    line.admit(await line.next('join'), { last });
    return line;
  }

  /** `mine` was said once, as message 5, and it goes on with 6. */
  async function expectSaidOnce({ client, told }: Setup, line: ScriptedLine, said: Promise<Receipt>): Promise<void> {
    expect(await said).toMatchObject({ seq: 5 });
    line.message(6);
    await settle();
    expect(line.requests).toEqual([]);
    const heard = told().filter((text) => /^(alice|bob|gap|sent)/.test(text));
    expect(heard).toEqual(['sent 5', 'alice 5 mine', 'bob 6 m6']);
    expect(client.unacknowledged).toBe(0);
  }

  test('before a message is sent costs nothing', async () => {
    const setup = await inLobby(4);
    (await setup.server.line(0)).cut();
    const said = setup.client.say('lobby', 'mine');
    const line = await cutAndBack(setup, 4);
    line.ok(await line.next('say'), 5);
    await expectSaidOnce(setup, line, said);
  });

  test('before a message is stored has it sent again under its id', async () => {
    const setup = await inLobby(4);
    const said = setup.client.say('lobby', 'mine');
    const { id } = await (await setup.server.line(0)).next('say');
    const line = await cutAndBack(setup, 4);
    const again = await line.next('say');
    expect(again.id).toBe(id);
    line.ok(again, 5);
    await expectSaidOnce(setup, line, said);
  });

  test.each(['history first', 'the acknowledgement first'])(
    'before a stored message is acknowledged doubles nothing, with %s',
    async (order) => {
      const setup = await inLobby(4);
      const said = setup.client.say('lobby', 'mine');
      const { id } = await (await setup.server.line(0)).next('say');
      const line = await cutAndBack(setup, 5);
      const history = await line.next('history');
      expect(history.after).toBe(4);
      const again = await line.next('say');
      expect(again.id).toBe(id);
      if (order !== 'history first') line.ok(again, 5);
      const past = pastOf({ ...messageEvent(5, 'mine'), id, fp: identity.fingerprint, from: setup.client.name });
      line.tell({ type: 'history', req: history.req, room: LOBBY, messages: [past] });
      line.ok(history);
      if (order === 'history first') line.ok(again, 5);
      await expectSaidOnce(setup, line, said);
    },
  );

  test('after a message was acknowledged does not have it sent again', async () => {
    const setup = await inLobby(4);
    const said = setup.client.say('lobby', 'mine');
    const first = await setup.server.line(0);
    first.ok(await first.next('say'), 5);
    await said;
    await expectSaidOnce(setup, await cutAndBack(setup, 5), said);
  });

  test('is told, with when it will be tried again; then the rooms are entered again, and then it is spoken', async () => {
    const setup = await inLobby(4);
    const { client, server, told, events } = setup;
    (await server.line(0)).cut();
    await settle();
    expect(events.at(-1)).toMatchObject({ status: { state: 'offline', retryInMs: 500, attempt: 1 } });
    const said = client.say('lobby', 'x');
    const next = await comeBack(setup, 1);
    const join = await next.next('join');
    await settle();
    expect(next.requests).toEqual([]);
    next.admit(join, { last: 4 });
    next.ok(await next.next('say'), 5);
    await said;
    expect(told()).toEqual(['offline CONNECTION_LOST', 'connecting', 'online', 'rejoined', 'sent 5', 'alice 5 x']);
  });

  test('while the rooms are being entered again does not let messages slip out before the rooms', async () => {
    const setup = await inLobby(4);
    const { client, server } = setup;
    (await server.line(0)).cut();
    const said = client.say('lobby', 'x');
    const second = await comeBack(setup, 1);
    await second.next('join');
    second.cut();
    const third = await comeBack(setup, 2);
    const join = await third.next('join');
    await settle();
    expect(third.requests).toEqual([]);
    third.admit(join, { last: 4 });
    third.ok(await third.next('say'), 5);
    expect(await said).toMatchObject({ seq: 5 });
  });

  test('with a server that has forgotten says so', async () => {
    const setup = await inLobby(4);
    const { server, told } = setup;
    (await server.line(0)).cut();
    const next = await comeBack(setup, 1);
    next.admit(await next.next('join'), { incarnation: 'f'.repeat(16), last: 0 });
    next.message(1);
    await settle();
    expect(told().slice(-3)).toEqual(['rejoined', 'forgotten', 'bob 1 m1']);
  });

  test('after which a room refuses us is told with the reason, and the others stay', async () => {
    const setup = await inLobby();
    const { client, server, told } = setup;
    const line = await server.line(0);
    const joining = client.join('attic');
    line.admit(await line.next('join'));
    await joining;
    const said = outcome(client.say('attic', 'x'));
    await line.next('say');
    line.cut();
    const next = await comeBack(setup, 1);
    next.admit(await next.next('join'));
    next.refuse(await next.next('join'), 'ROOM_FULL');
    expect(await said).toBe('ROOM_FULL');
    expect(told().slice(-2)).toEqual(['rejoined', 'left ROOM_FULL']);
    void client.say('lobby', 'y').catch(() => undefined);
    await next.next('say');
  });

  test('after which a room is entered too fast is entered when it may be', async () => {
    const setup = await inLobby();
    const { client, server, clock } = setup;
    (await server.line(0)).cut();
    const said = client.say('lobby', 'x');
    const next = await comeBack(setup, 1);
    next.refuse(await next.next('join'), 'SLOW_DOWN', { retryAfterMs: 300 });
    await settle();
    expect(next.requests).toEqual([]);
    clock.advance(300);
    next.admit(await next.next('join'));
    next.ok(await next.next('say'), 1);
    await said;
  });

  test('after which the server cannot let us in for a fault of its own is made again', async () => {
    const setup = await inLobby();
    const { server, told } = setup;
    (await server.line(0)).cut();
    const second = await comeBack(setup, 1);
    second.refuse(await second.next('join'), 'INTERNAL');
    const third = await comeBack(setup, 2);
    third.admit(await third.next('join'));
    await settle();
    expect(told().filter((text) => text.startsWith('offline'))).toEqual([
      'offline CONNECTION_LOST',
      'offline INTERNAL',
    ]);
    expect(told().at(-1)).toBe('rejoined');
  });

  test('in the middle of joining is no reason to give up joining', async () => {
    const setup = await online();
    const { client, server, told } = setup;
    const line = await server.line(0);
    const joining = client.join('lobby', { backlog: { last: 1 } });
    await line.next('join');
    line.cut();
    const next = await comeBack(setup, 1);
    next.admit(await next.next('join'), { last: 1 });
    const request = await next.next('history');
    const past = pastOf(messageEvent(1));
    next.tell({ type: 'history', req: request.req, room: LOBBY, messages: [past] });
    next.ok(request);
    await expect(joining).resolves.toMatchObject({ last: 1 });
    expect(told().slice(-2)).toEqual(['joined', 'hbob 1 m1']);
  });

  test('keeps the name that was taken meanwhile, and being away', async () => {
    const setup = await online();
    const { client, server } = setup;
    const line = await server.line(0);
    const away = client.away('lunch');
    line.ok(await line.next('away'));
    await away;
    line.tell({ type: 'renamed', name: BOB });
    await settle();
    expect(client.name).toBe('bob');
    line.cut();
    const next = await comeBack(setup, 1);
    expect(next.hellos).toMatchObject([{ name: 'bob' }]);
    expect(await next.next('away')).toMatchObject({ text: 'lunch' });
  });

  test('leaves what was kept for a reader who has not come yet alone', async () => {
    const server = new ScriptedServer();
    const clock = new ManualClock();
    const client = await connect({ ...server.connectOptions, user: 'alice', identity, clock });
    onTestFinished(() => client.close());
    const joining = client.join('lobby');
    const line = await server.line(0);
    line.admit(await line.next('join'));
    await joining;
    line.message(1);
    await settle();
    line.cut();
    await settle();
    clock.advance(500);
    const next = await server.line(1);
    next.admit(await next.next('join'), { last: 1 });
    await settle();
    await client.close();
    const told: string[] = [];
    for await (const event of client) told.push(...short(event));
    expect(told).toEqual([
      'connecting',
      'online',
      'joined',
      'bob 1 m1',
      'offline CONNECTION_LOST',
      'connecting',
      'online',
      'rejoined',
      'closed',
    ]);
  });
});

describe('coming back', () => {
  test('takes longer each time until it has lasted', async () => {
    const setup = await online();
    const { server, clock, events } = setup;
    const delays = () =>
      events.flatMap((event) =>
        event.type === 'status' && event.status.state === 'offline' ? [event.status.retryInMs] : [],
      );
    for (let i = 0; i < 9; i += 1) server.refusals.push(new BcastError('CONNECT_FAILED'));
    (await server.line(0)).cut();
    for (let i = 0; i < 9; i += 1) {
      await settle();
      clock.advance(delays().at(-1) ?? 0);
    }
    await settle();
    expect(delays()).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000, 30_000]);
    clock.advance(30_000);
    const second = await server.line(1);
    await settle();
    clock.advance(5_000);
    second.cut();
    await settle();
    expect(delays().at(-1)).toBe(30_000);
    clock.advance(30_000);
    const third = await server.line(2);
    await settle();
    clock.advance(10_000);
    third.cut();
    await settle();
    expect(delays().at(-1)).toBe(500);
  });

  test('heeds when the server wants to be asked again', async () => {
    const setup = await online();
    const { server, events } = setup;
    (await server.line(0)).end('SERVER_SHUTDOWN', { retryAfterMs: 8_000 });
    await settle();
    expect(events.at(-1)).toMatchObject({
      status: { state: 'offline', retryInMs: 9_000, error: { code: 'SERVER_SHUTDOWN' } },
    });
  });

  test.each(['KICKED', 'BANNED', 'NAME_IN_USE', 'BAD_MESSAGE', 'VERSION_UNSUPPORTED'] as const)(
    'is not tried after %s',
    async (code) => {
      const { client, server, clock, told } = await inLobby();
      const line = await server.line(0);
      const said = outcome(client.say('lobby', 'x'));
      await line.next('say');
      line.end(code, { text: 'no more' });
      expect(await said).toBe(code);
      await settle();
      expect(client.status).toMatchObject({ state: 'closed', error: { code, message: 'no more' } });
      clock.advance(600_000);
      await settle();
      expect(server.attempts).toBe(1);
      expect(told().at(-1)).toBe('closed');
      expect(await outcome(client.say('lobby', 'y'))).toBe(code);
      expect(await outcome(client.join('lobby'))).toBe(code);
      expect(await outcome(client.names('lobby'))).toBe(code);
      expect(clock.pendingTimers).toBe(0);
    },
  );

  test.each(['IDLE_TIMEOUT', 'SLOW_READER', 'SERVER_SHUTDOWN', 'INTERNAL'] as const)(
    'is tried after %s',
    async (code) => {
      const setup = await online();
      (await setup.server.line(0)).end(code);
      await comeBack(setup, 1);
      expect(setup.client.status).toMatchObject({ state: 'online', isReconnect: true });
    },
  );

  test('is not tried when a refusal on the way back is final', async () => {
    const setup = await inLobby();
    const { client, server } = setup;
    const said = outcome(client.say('lobby', 'x'));
    const line = await server.line(0);
    await line.next('say');
    line.cut();
    server.answers.push((next, request) => {
      if (request.type !== 'hello') return false;
      next.refuse(request, 'NAME_IN_USE');
      return true;
    });
    await comeBack(setup, 1);
    expect(await said).toBe('NAME_IN_USE');
    expect(client.status).toMatchObject({ state: 'closed', error: { code: 'NAME_IN_USE' } });
  });

  test('bears with a server that still counts the session it lost', async () => {
    const setup = await online();
    const { client, server, clock } = setup;
    const refuse = (line: Awaited<ReturnType<ScriptedServer['line']>>, request: { type: string; req: number }) => {
      if (request.type !== 'hello') return false;
      line.refuse(request, 'TOO_MANY_SESSIONS');
      return true;
    };
    server.answers.push(refuse);
    (await server.line(0)).cut();
    await settle();
    clock.advance(500);
    await server.line(1);
    await settle();
    expect(client.status).toMatchObject({ state: 'offline', error: { code: 'TOO_MANY_SESSIONS' } });
    server.answers.pop();
    clock.advance(2_000);
    await server.line(2);
    await settle();
    expect(client.status).toMatchObject({ state: 'online' });
  });

  test('is not tried by a client that does not want to', async () => {
    const { client, server, told } = await inLobby(0, undefined, { reconnect: null });
    const line = await server.line(0);
    const said = outcome(client.say('lobby', 'x'));
    await line.next('say');
    line.cut();
    expect(await said).toBe('CONNECTION_LOST');
    expect(client.status).toMatchObject({ state: 'closed', error: { code: 'CONNECTION_LOST' } });
    expect(told()).toEqual(['closed']);
  });

  test('is given up after so many attempts', async () => {
    const reconnect = { firstDelayMs: 100, maxDelayMs: 100, maxAttempts: 2 };
    const { client, server, clock } = await online(undefined, { reconnect });
    server.refusals.push(new BcastError('CONNECT_FAILED'), new BcastError('CONNECT_FAILED'));
    (await server.line(0)).cut();
    for (let i = 0; i < 5; i += 1) {
      await settle();
      clock.advance(200);
    }
    expect(server.attempts).toBe(3);
    expect(client.status).toMatchObject({ state: 'closed', error: { code: 'CONNECT_FAILED' } });
  });
});
