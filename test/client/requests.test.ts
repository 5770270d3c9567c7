import { describe, expect, test } from 'vitest';
import type { Ask } from '../../lib/client/connection.ts';
import { Requests } from '../../lib/client/requests.ts';
import type { Event } from '../../lib/protocol/messages.ts';
import { requireUserName } from '../../lib/protocol/names.ts';
import { outcome } from '../helpers/scripted-client.ts';
import { BOB, LOBBY, messageEvent, pastOf } from '../helpers/scripted-server.ts';

/** Requests that are answered by the test, in order; without an answer left, by nothing. */
class Asked extends Requests {
  readonly asks: Ask[] = [];
  readonly #answers: (readonly Event[])[];

  constructor(...answers: (readonly Event[])[]) {
    super();
    this.#answers = answers;
  }

  protected async ask(ask: Ask): Promise<readonly Event[]> {
    this.asks.push(ask);
    return this.#answers.shift() ?? [];
  }
}

const ban = { target: 'bob', by: BOB, untilMs: null, reason: null };

function pageOf(first: number, last: number): Event {
  const messages = Array.from({ length: last - first + 1 }, (_, index) => pastOf(messageEvent(first + index)));
  return { type: 'history', req: 1, room: LOBBY, messages };
}

describe('requests', () => {
  test.each<[(requests: Requests) => Promise<unknown>, Ask]>([
    [(it) => it.register(), { type: 'register', password: null }],
    [(it) => it.register('correct horse'), { type: 'register', password: 'correct horse' }],
    [(it) => it.unregister(), { type: 'unregister' }],
    [(it) => it.follow('bob'), { type: 'follow', name: BOB, on: true }],
    [(it) => it.unfollow('bob'), { type: 'follow', name: BOB, on: false }],
    [(it) => it.role('lobby', 'bob', 'moderator'), { type: 'role', room: LOBBY, name: BOB, role: 'moderator' }],
    [(it) => it.retain('lobby', false), { type: 'retain', room: LOBBY, on: false }],
    [(it) => it.setMotd(null), { type: 'motd', text: null }],
    [
      (it) => it.mute('lobby', 'bob', 5, 'x'),
      { type: 'ban', room: LOBBY, target: 'bob', penalty: 'mute', durationMs: 5, reason: 'x' },
    ],
    [(it) => it.unmute('lobby', 'bob'), { type: 'unban', room: LOBBY, target: 'bob', penalty: 'mute' }],
    [
      (it) => it.ban(null, '192.0.2.0/24', null),
      { type: 'ban', room: null, target: '192.0.2.0/24', penalty: 'ban', durationMs: null, reason: null },
    ],
    [(it) => it.unban(null, '192.0.2.0/24'), { type: 'unban', room: null, target: '192.0.2.0/24', penalty: 'ban' }],
  ])('%s', async (call, ask) => {
    const requests = new Asked();
    await call(requests);
    expect(requests.asks).toEqual([ask]);
  });

  test('tell bans and mutes apart', async () => {
    const requests = new Asked([{ type: 'bans', req: 1, bans: [ban] }], [{ type: 'bans', req: 1, bans: [] }]);
    expect(await requests.bans('lobby')).toEqual([ban]);
    expect(await requests.mutes('lobby')).toEqual([]);
    expect(requests.asks).toMatchObject([{ penalty: 'ban' }, { penalty: 'mute' }]);
  });

  test('gather all names one follows', async () => {
    const carol = requireUserName('carol');
    const rows: Event[] = [BOB, carol].map((name) => ({ type: 'follows', req: 1, names: [name] }));
    expect(await new Asked(rows).follows()).toEqual(['bob', 'carol']);
  });

  test('tell how far a message has got', async () => {
    const row = { type: 'receipts', req: 1, room: LOBBY, seq: 7, members: 3, delivered: 2, read: 1 } as const;
    const requests = new Asked([{ ...row, readers: [BOB] }]);
    expect(await requests.receipts('lobby', 7)).toMatchObject({ delivered: 2, read: 1, readers: ['bob'] });
    expect(requests.asks).toEqual([{ type: 'receipts', room: 'lobby', seq: 7 }]);
  });

  test('refuse what the server would take for a broken message', async () => {
    const requests = new Asked();
    const calls = [
      requests.register('x'.repeat(257)),
      requests.setMotd('x'.repeat(4_097)),
      requests.search('lobby', 'x'.repeat(257), { limit: 1 }),
      requests.mute(null, 'x'.repeat(201), null),
      requests.follow('b ob'),
    ];
    const codes = await Promise.all(calls.map(outcome));
    expect(codes).toEqual([...Array.from({ length: 4 }, () => 'BAD_REQUEST'), 'NAME_INVALID']);
    expect(requests.asks).toEqual([]);
  });
});

describe('a search', () => {
  const looked = (from: number): Event => ({ type: 'searched', req: 1, room: LOBBY, from });

  test('finds the newest, and says how far it looked', async () => {
    const requests = new Asked([pageOf(7, 8), looked(3)]);
    const found = await requests.search('lobby', 'deploy failed', { beforeSeq: 9, limit: 50 });
    expect(found).toMatchObject({ fromSeq: 3, messages: [{ seq: 7, isHistory: true, room: 'lobby' }, { seq: 8 }] });
    expect(requests.asks).toEqual([{ type: 'search', room: 'lobby', words: 'deploy failed', before: 9, limit: 50 }]);
  });

  test('for more than fits a page goes on before the oldest, until a page is not full', async () => {
    const requests = new Asked([pageOf(201, 400), looked(1)], [pageOf(190, 195), looked(1)]);
    const { messages, fromSeq } = await requests.search('lobby', 'x', { limit: 500 });
    expect(messages.map(({ seq }) => seq).slice(0, 8)).toEqual([190, 191, 192, 193, 194, 195, 201, 202]);
    expect([messages.length, fromSeq]).toEqual([206, 1]);
    expect(requests.asks).toMatchObject([
      { before: null, limit: 200 },
      { before: 201, limit: 200 },
    ]);
  });

  test('that found nothing still says how far it looked', async () => {
    expect(await new Asked([looked(40)]).search('lobby', 'x', { limit: 10 })).toEqual({ messages: [], fromSeq: 40 });
  });

  test('without that word from the server is no answer', async () => {
    expect(await outcome(new Asked([]).search('lobby', 'x', { limit: 10 }))).toBe('BAD_MESSAGE');
  });
});
