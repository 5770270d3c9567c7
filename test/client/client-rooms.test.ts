import { describe, expect, test } from 'vitest';
import { requireRoomName } from '../../lib/protocol/names.ts';
import { comeBack, identity, inLobby, online, outcome } from '../helpers/scripted-client.ts';
import { BOB, LOBBY, messageEvent, pastOf, ScriptedServer, settle } from '../helpers/scripted-server.ts';

describe('a room', () => {
  test('tells messages of others and our own in the order of their seqs', async () => {
    const { client, server, told } = await inLobby(4);
    const line = await server.line(0);
    const said = client.say('lobby', 'mine');
    const request = await line.next('say');
    line.message(5);
    line.ok(request, 6);
    line.message(7);
    expect(await said).toMatchObject({ room: 'lobby', seq: 6, ts: 6, id: request.id });
    await settle();
    expect(told()).toEqual(['bob 5 m5', 'sent 6', 'alice 6 mine', 'bob 7 m7']);
  });

  test('says nothing twice when a message that was sent again is acknowledged with its old seq', async () => {
    const { client, server, told } = await inLobby(4);
    const line = await server.line(0);
    line.message(5);
    const said = client.say('lobby', 'again');
    line.ok(await line.next('say'), 3);
    line.message(6);
    expect(await said).toMatchObject({ seq: 3 });
    await settle();
    expect(told()).toEqual(['bob 5 m5', 'sent 3', 'bob 6 m6']);
  });

  test('tells an own message once when it is in history before it is acknowledged', async () => {
    const { client, server, told } = await inLobby(4);
    const line = await server.line(0);
    const said = client.say('lobby', 'mine');
    const request = await line.next('say');
    const own = { ...messageEvent(5, 'mine'), id: request.id, fp: identity.fingerprint, from: client.name };
    line.tell(own);
    expect(await said).toMatchObject({ seq: 5 });
    line.ok(request, 5);
    line.message(6);
    await settle();
    expect(told()).toEqual(['sent 5', 'alice 5 mine', 'bob 6 m6']);
  });

  test('cannot be spoken to without being in it', async () => {
    const { client, server } = await online();
    expect(await outcome(client.say('lobby', 'x'))).toBe('NOT_A_MEMBER');
    expect(await outcome(client.leave('lobby'))).toBe('NOT_A_MEMBER');
    expect((await server.line(0)).requests).toEqual([]);
  });

  test('that is being entered is spoken to when it is', async () => {
    const { client, server } = await online();
    const line = await server.line(0);
    void client.join('lobby');
    const said = client.say('LOBBY', 'x');
    const join = await line.next('join');
    await settle();
    expect(line.requests).toEqual([]);
    line.admit(join);
    line.ok(await line.next('say'), 1);
    expect(await said).toMatchObject({ seq: 1 });
  });

  test('that refuses us refuses what was to be said there', async () => {
    const { client, server, told } = await online();
    const line = await server.line(0);
    const joining = outcome(client.join('lobby'));
    const said = outcome(client.say('lobby', 'x'));
    line.refuse(await line.next('join'), 'ROOM_BANNED');
    expect([await joining, await said]).toEqual(['ROOM_BANNED', 'ROOM_BANNED']);
    expect(told()).toEqual(['connecting', 'online']);
    const again = client.join('lobby');
    line.admit(await line.next('join'));
    expect(await again).toMatchObject({ room: 'lobby' });
  });

  test('is joined once, however often it is asked for', async () => {
    const { client, server } = await online();
    const line = await server.line(0);
    const joins = [client.join('lobby'), client.join('Lobby')];
    line.admit(await line.next('join'));
    expect((await Promise.all(joins)).map(({ room }) => room)).toEqual(['lobby', 'lobby']);
    await settle();
    expect(line.requests).toEqual([]);
  });

  test('is left at once here, and again there', async () => {
    const { client, server, told } = await inLobby();
    const line = await server.line(0);
    const leaving = client.leave('lobby');
    const request = await line.next('leave');
    line.message(1);
    line.ok(request);
    await leaving;
    expect(told()).toEqual(['left']);
    expect(await outcome(client.say('lobby', 'x'))).toBe('NOT_A_MEMBER');
  });

  test('we are put out of is gone, with what waits for it; it is not entered again', async () => {
    const setup = await inLobby();
    const { client, server, told, clock } = setup;
    const line = await server.line(0);
    const sent = client.say('lobby', 'sent');
    const request = await line.next('say');
    line.refuse(request, 'SLOW_DOWN', { retryAfterMs: 100 });
    await settle();
    line.tell({ type: 'removed', room: LOBBY, removal: 'ban', by: BOB, reason: 'spam', untilMs: 77 });
    await expect(sent).rejects.toMatchObject({ code: 'ROOM_BANNED', untilMs: 77 });
    expect(told()).toEqual(['slow 100', 'removed']);
    clock.advance(1_000);
    line.cut();
    const next = await comeBack(setup, 1);
    expect(next.requests).toEqual([]);
  });

  test('that lags is told and caught up with, though nobody speaks any more', async () => {
    const { server, told } = await inLobby(4);
    const line = await server.line(0);
    line.tell({ type: 'lagged', room: LOBBY, dropped: 1 });
    const request = await line.next('history');
    expect(request).toMatchObject({ after: 4, limit: 200 });
    const past = pastOf(messageEvent(5));
    line.tell({ type: 'history', req: request.req, room: LOBBY, messages: [past] });
    line.ok(request);
    line.ok(await line.next('history'));
    line.message(6);
    await settle();
    expect(told()).toEqual(['lagged', 'bob 5 m5', 'bob 6 m6']);
  });

  test('history that is asked for too fast is asked again, and nothing is given up for it', async () => {
    const { server, told, clock } = await inLobby(4);
    const line = await server.line(0);
    line.message(6);
    line.refuse(await line.next('history'), 'SLOW_DOWN', { retryAfterMs: 50 });
    await settle();
    clock.advance(50);
    const request = await line.next('history');
    const past = pastOf(messageEvent(5));
    line.tell({ type: 'history', req: request.req, room: LOBBY, messages: [past] });
    line.ok(request);
    await settle();
    expect(told()).toEqual(['slow 50', 'bob 5 m5', 'bob 6 m6']);
  });

  test('with more than its reader has room for holds up neither answers nor the reader that waits for one', async () => {
    const { client, server } = await inLobby(0, new ScriptedServer({ maxBodyBytes: 65_536 }));
    const line = await server.line(0);
    const reader = client[Symbol.asyncIterator]();
    const body = 'x'.repeat(65_536);
    const count = 700;
    for (let seq = 1; seq <= count; seq += 1) line.message(seq, body);
    await settle();
    const said = client.say('lobby', 'mine');
    line.ok(await line.next('say'), count + 1);
    expect(await said).toMatchObject({ seq: count + 1 });
    const seen: number[] = [];
    while (seen.at(-1) !== count + 1) {
      const next = reader.next();
      await settle();
      const request = line.requests.shift();
      if (request?.type === 'history') {
        const from = (request.after ?? 0) + 1;
        const to = Math.min(count + 1, from + 9);
        const messages = Array.from({ length: to - from + 1 }, (_, i) => pastOf(messageEvent(from + i)));
        line.tell({ type: 'history', req: request.req, room: LOBBY, messages });
        line.ok(request);
      }
      const { value } = await next;
      if (value?.type === 'message') seen.push(value.seq);
    }
    expect(seen).toEqual(Array.from({ length: count + 1 }, (_, i) => i + 1));
  });
});

test('a room that is entered while its reader has enough waits like the others', async () => {
  const { client, server } = await inLobby(0, new ScriptedServer({ maxBodyBytes: 65_536 }));
  const line = await server.line(0);
  const reader = client[Symbol.asyncIterator]();
  const body = 'x'.repeat(65_536);
  for (let seq = 1; seq <= 600; seq += 1) line.message(seq, body);
  await settle();
  const attic = requireRoomName('attic');
  void client.join('attic').catch(() => undefined);
  line.admit(await line.next('join'));
  for (let seq = 1; seq <= 200; seq += 1) line.tell({ ...messageEvent(seq, body), room: attic });
  await settle();
  await client.close();
  let told = 0;
  for (let next = await reader.next(); next.done !== true; next = await reader.next()) {
    if (next.value.type === 'message' && next.value.room === attic) told += 1;
  }
  expect(told).toBe(0);
});

test('a message that may have been said by an earlier life of the program says so', async () => {
  const { client, server } = await inLobby();
  const line = await server.line(0);
  const { id } = messageEvent(1);
  void client.say('lobby', 'x', { id, again: true }).catch(() => undefined);
  expect(await line.next('say')).toMatchObject({ id, again: true });
  void client.say('lobby', 'y').catch(() => undefined);
  expect(await line.next('say')).toMatchObject({ again: false });
});

test('a reader that leaves everything unread costs the connection, not the memory, and no message', async () => {
  const setup = await inLobby();
  const { client, server, told } = setup;
  const reader = client[Symbol.asyncIterator]();
  const line = await server.line(0);
  const body = 'x'.repeat(16_384);
  const tell = {
    type: 'private',
    from: BOB,
    fp: messageEvent(1).fp,
    to: client.name,
    kind: 'text',
    ts: 1,
    id: messageEvent(1).id,
    body,
  } as const;
  for (let i = 0; i < 4_100; i += 1) line.tell(tell);
  await settle();
  expect(told().at(-1)).toBe('offline SLOW_READER');
  const whispered = client.tell('bob', 'still here');
  const said = client.say('lobby', 'still here');
  // It is not let back in as long as it does not read.
  await comeBack(setup, 1);
  expect(told().at(-1)).toBe('offline SLOW_READER');
  await reader.return?.();
  const next = await comeBack(setup, 2);
  next.admit(await next.next('join'), { last: 0 });
  next.ok(await next.next('tell'), null, 7);
  expect(await whispered).toMatchObject({ ts: 7 });
  next.ok(await next.next('say'), 1);
  expect(await said).toMatchObject({ seq: 1 });
  next.message(2);
  await settle();
  expect(told().at(-1)).toBe('bob 2 m2');
});
