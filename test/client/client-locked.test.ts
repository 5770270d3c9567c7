import { describe, expect, test } from 'vitest';
import { requireRoomName } from '../../lib/protocol/names.ts';
import { comeBack, inLobby, online, outcome } from '../helpers/scripted-client.ts';
import { BOB, LOBBY, settle } from '../helpers/scripted-server.ts';

const DEN = requireRoomName('den');

describe('a locked room', () => {
  test('is entered with its code, again after each cut', async () => {
    const setup = await online();
    const { client, server } = setup;
    const line = await server.line(0);
    const joining = client.join('den', { code: 'A1B2C' });
    const join = await line.next('join');
    expect(join).toMatchObject({ room: 'den', code: 'A1B2C', create: null });
    line.admit(join, { access: 'locked' });
    await joining;
    line.cut();
    const next = await comeBack(setup, 1);
    expect(await next.next('join')).toMatchObject({ code: 'A1B2C', create: null });
    expect(client.codeOf('Den')).toBe('A1B2C');
  });

  test('that is created is entered later with the code it was given, and created once', async () => {
    const setup = await online();
    const { client, server } = setup;
    const line = await server.line(0);
    const joining = client.join('den', { create: 'locked' });
    const join = await line.next('join');
    expect(join).toMatchObject({ code: null, create: 'locked' });
    line.admit(join, { access: 'locked', code: 'A1B2C' });
    expect(await joining).toMatchObject({ code: 'A1B2C' });
    line.cut();
    const next = await comeBack(setup, 1);
    expect(await next.next('join')).toMatchObject({ code: 'A1B2C', create: null });
  });

  test('that is there already is not created', async () => {
    const { client, server } = await inLobby();
    const line = await server.line(0);
    const creating = outcome(client.join('den', { create: 'open' }));
    line.refuse(await line.next('join'), 'ROOM_EXISTS');
    expect(await creating).toBe('ROOM_EXISTS');
    expect(await outcome(client.join('lobby', { create: 'open' }))).toBe('ROOM_EXISTS');
  });

  test('refuses a wrong code once, and forgets it', async () => {
    const { client, server } = await online();
    const line = await server.line(0);
    const joining = outcome(client.join('den', { code: 'WRONG' }));
    line.refuse(await line.next('join'), 'BAD_CODE');
    expect(await joining).toBe('BAD_CODE');
    await settle();
    expect(line.requests).toEqual([]);
    expect(client.codeOf('den')).toBeNull();
    expect(await outcome(client.join('den', { code: 'x'.repeat(21) }))).toBe('BAD_CODE');
    await settle();
    expect(line.requests).toEqual([]);
  });

  test('whose code has changed meanwhile is left with the reason', async () => {
    const setup = await online();
    const { client, server, told } = setup;
    const line = await server.line(0);
    void client.join('den', { code: 'A1B2C' });
    line.admit(await line.next('join'));
    await settle();
    line.cut();
    const next = await comeBack(setup, 1);
    next.refuse(await next.next('join'), 'BAD_CODE');
    await settle();
    expect(told().at(-1)).toBe('left BAD_CODE');
  });

  test('is entered again with the code of an invitation when its own has changed', async () => {
    const setup = await online();
    const { client, server } = setup;
    const line = await server.line(0);
    void client.join('den', { code: 'A1B2C' });
    line.admit(await line.next('join'));
    line.tell({ type: 'invited', room: DEN, by: BOB, code: 'NEW00' });
    await settle();
    expect(client.codeOf('den')).toBe('A1B2C');
    line.cut();
    const next = await comeBack(setup, 1);
    const first = await next.next('join');
    expect(first.code).toBe('A1B2C');
    next.refuse(first, 'BAD_CODE');
    const second = await next.next('join');
    expect(second.code).toBe('NEW00');
    next.admit(second);
    await settle();
    expect(client.codeOf('den')).toBe('NEW00');
  });

  test('stays ours when the server takes no codes for a while because others guess', async () => {
    const setup = await online();
    const { client, server, clock, told } = setup;
    const line = await server.line(0);
    void client.join('den', { code: 'A1B2C' });
    line.admit(await line.next('join'));
    await settle();
    line.cut();
    const next = await comeBack(setup, 1);
    next.refuse(await next.next('join'), 'BAD_CODE', { retryAfterMs: 5_000 });
    await settle();
    clock.advance(5_000);
    next.admit(await next.next('join'));
    await settle();
    expect(told().at(-1)).toBe('rejoined');
    const other = outcome(client.join('attic', { code: 'A1B2C' }));
    next.refuse(await next.next('join'), 'BAD_CODE', { retryAfterMs: 5_000 });
    expect(await other).toBe('BAD_CODE');
  });

  test('we are invited to is entered with the code that came along', async () => {
    const { client, server, events } = await online();
    const line = await server.line(0);
    line.tell({ type: 'invited', room: DEN, by: BOB, code: 'A1B2C' });
    await settle();
    expect(events.at(-1)).toMatchObject({ type: 'invited', room: 'den', by: 'bob' });
    void outcome(client.join('den'));
    expect(await line.next('join')).toMatchObject({ code: 'A1B2C' });
  });

  test('gets a new code, which goes with invitations and into the URL', async () => {
    const { client, server } = await inLobby();
    const line = await server.line(0);
    expect(client.inviteUrl('lobby')).toBe(`bcast://scripted.test:7000/lobby?fp=${server.identity.fingerprint}`);
    const rotating = client.rotateCode('lobby');
    const { req } = await line.next('code');
    line.tell({ type: 'code', req, room: LOBBY, code: 'NEW00' });
    line.ok({ req });
    expect(await rotating).toBe('NEW00');
    void outcome(client.invite('lobby', 'bob'));
    expect(await line.next('invite')).toMatchObject({ room: 'lobby', name: 'bob', code: 'NEW00' });
    expect(client.inviteUrl('lobby')).toMatch(/&code=NEW00$/);
  });
});

describe('while the storage of the server is out of reach', () => {
  test('a room is entered as soon as it is back', async () => {
    const { client, server, clock, told } = await online();
    const line = await server.line(0);
    const joining = client.join('lobby');
    line.refuse(await line.next('join'), 'UNAVAILABLE', { retryAfterMs: 500 });
    await settle();
    expect(told().at(-1)).toBe('unavailable 500');
    clock.advance(500);
    line.admit(await line.next('join'));
    expect(await joining).toMatchObject({ room: 'lobby' });
  });

  test('a hole is filled later, on the same connection', async () => {
    const { server, clock, told } = await inLobby(4);
    const line = await server.line(0);
    line.message(7);
    line.refuse(await line.next('history'), 'UNAVAILABLE', { retryAfterMs: 500 });
    await settle();
    clock.advance(500);
    const { req } = await line.next('history');
    line.tell({ type: 'gap', req, room: LOBBY, first: 5, last: 6 });
    line.ok({ req });
    await settle();
    expect(told()).toEqual(['unavailable 500', 'gap 5-6', 'bob 7 m7']);
    expect(server.attempts).toBe(1);
  });

  test('what is said is kept and said again in its order, for the server to recognise', async () => {
    const { client, server, clock, told } = await inLobby();
    const line = await server.line(0);
    const all = [client.say('lobby', 'one'), client.say('lobby', 'two')];
    const [one, two] = [await line.next('say'), await line.next('say')];
    line.refuse(one, 'UNAVAILABLE', { retryAfterMs: 500 });
    line.refuse(two, 'UNAVAILABLE', { retryAfterMs: 500 });
    await settle();
    all.push(client.say('lobby', 'three'));
    await settle();
    expect(line.requests).toEqual([]);
    clock.advance(500);
    const again = [await line.next('say'), await line.next('say'), await line.next('say')];
    expect(again.map(({ body, again: isAgain }) => [body, isAgain])).toEqual([
      ['one', true],
      ['two', true],
      ['three', false],
    ]);
    for (const [index, request] of again.entries()) line.ok(request, index + 1);
    expect((await Promise.all(all)).map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(told().filter((event) => event.startsWith('unavailable'))).toHaveLength(1);
  });

  test('what others say is told as not stored, and once more when it is', async () => {
    const { server, told } = await inLobby();
    const line = await server.line(0);
    const said = { room: LOBBY, from: BOB, fp: `SHA256:${'B'.repeat(42)}A`, kind: 'text', ts: 1, body: 'x' } as const;
    line.tell({ type: 'unstored', ...said, id: '0'.repeat(32) });
    line.tell({ type: 'message', ...said, seq: 1, id: '0'.repeat(32) });
    await settle();
    expect(told()).toEqual(['unstored x', 'bob 1 x']);
  });

  test('other questions are refused at once', async () => {
    const { client, server } = await online();
    const line = await server.line(0);
    const asking = outcome(client.register());
    line.refuse(await line.next('register'), 'UNAVAILABLE', { retryAfterMs: 500 });
    expect(await asking).toBe('UNAVAILABLE');
  });
});

describe('marks', () => {
  test('tell what has come, and what a person has seen', async () => {
    const { client, server, clock } = await inLobby(4);
    const line = await server.line(0);
    line.message(5);
    line.message(6);
    await settle();
    client.markRead('lobby', 5);
    clock.advance(1_500);
    expect(await line.next('mark')).toMatchObject({ room: 'lobby', delivered: 6, read: 5 });
    clock.advance(60_000);
    await settle();
    expect(line.requests).toEqual([]);
  });

  test('go out before the client is closed', async () => {
    const { client, server } = await inLobby(4);
    const line = await server.line(0);
    line.message(5);
    await settle();
    const closing = client.close();
    expect(await line.next('mark')).toMatchObject({ delivered: 5 });
    await closing;
  });

  test('are not told for a room that is only spoken to', async () => {
    const { client, server, clock } = await online();
    const line = await server.line(0);
    const joining = client.join('lobby', { marks: false });
    line.admit(await line.next('join'));
    await joining;
    line.message(1);
    await settle();
    clock.advance(60_000);
    await settle();
    expect(line.requests).toEqual([]);
  });
});
