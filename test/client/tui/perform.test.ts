import { describe, expect, test } from 'vitest';
import type { Ask, TuiEvent } from '../../../lib/client/tui/effect.ts';
import { type ChatPort, perform } from '../../../lib/client/tui/perform.ts';
import { BcastError } from '../../../lib/errors.ts';
import { NOON_MS, room, user } from './play.ts';

/** A client that notes what it is asked and answers with `answer`, or refuses with it when it is an error. */
function portThat(answer: unknown): { readonly port: ChatPort; readonly calls: unknown[][] } {
  const calls: unknown[][] = [];
  const port = new Proxy({} as ChatPort, {
    get:
      (_target, method: string) =>
      async (...args: unknown[]) => {
        calls.push([method, ...args]);
        if (answer instanceof Error) throw answer;
        return answer;
      },
  });
  return { port, calls };
}

const ID = 'a'.repeat(32);

/** What the program hears last when this has been done. */
function heard(port: ChatPort, effect: Parameters<typeof perform>[0]): Promise<TuiEvent> {
  return new Promise((resolve) => {
    const dispatch = (event: TuiEvent): void => {
      if (event.type !== 'saying') resolve(event);
    };
    perform(effect, { port, newId: () => ID, dispatch });
  });
}

const a = room('a');
const bob = user('bob');
const joining = { backlog: { last: 100 }, watch: true, code: undefined, create: undefined };
const ASKS: readonly (readonly [Ask, unknown[], string])[] = [
  [{ what: 'names', room: a, isShown: true }, ['names', 'a'], 'members'],
  [{ what: 'rooms' }, ['rooms'], 'rooms'],
  [{ what: 'whois', name: bob }, ['whois', 'bob'], 'user'],
  [{ what: 'bans', penalty: 'ban', room: a }, ['bans', 'a'], 'bans'],
  [{ what: 'bans', penalty: 'mute', room: a }, ['mutes', 'a'], 'bans'],
  [
    { what: 'older', room: a, before: 7, limit: 50, isShown: false },
    ['history', 'a', { beforeSeq: 7, limit: 50 }],
    'messages',
  ],
  [{ what: 'search', room: a, words: 'x y' }, ['search', 'a', 'x y', { limit: 30 }], 'found'],
  [{ what: 'receipts', room: a, seq: 7 }, ['receipts', 'a', 7], 'receipts'],
  [{ what: 'join', room: a, isToFront: true, code: null, create: null }, ['join', 'a', joining], 'done'],
  [
    { what: 'join', room: a, isToFront: true, code: 'A1B2C', create: null },
    ['join', 'a', { ...joining, code: 'A1B2C' }],
    'done',
  ],
  [
    { what: 'join', room: a, isToFront: true, code: null, create: 'locked' },
    ['join', 'a', { ...joining, create: 'locked' }],
    'done',
  ],
  [{ what: 'leave', room: a }, ['leave', 'a'], 'done'],
  [{ what: 'topic', room: a, topic: null }, ['topic', 'a', null], 'done'],
  [{ what: 'nick', name: bob }, ['nick', 'bob'], 'done'],
  [{ what: 'away', text: null }, ['away', null], 'done'],
  [{ what: 'register', password: null }, ['register', null], 'done'],
  [{ what: 'unregister' }, ['unregister'], 'done'],
  [{ what: 'follow', name: bob, isOn: true }, ['follow', 'bob'], 'done'],
  [{ what: 'follow', name: bob, isOn: false }, ['unfollow', 'bob'], 'done'],
  [{ what: 'follows' }, ['follows'], 'follows'],
  [{ what: 'invite', room: a, name: bob }, ['invite', 'a', 'bob'], 'done'],
  [{ what: 'link', room: a }, ['inviteUrl', 'a'], 'link'],
  [{ what: 'code', room: a, isNew: false }, ['codeOf', 'a'], 'code'],
  [{ what: 'code', room: a, isNew: true }, ['rotateCode', 'a'], 'code'],
  [{ what: 'retain', room: a, isKept: true }, ['retain', 'a', true], 'done'],
  [{ what: 'motd', text: null }, ['setMotd', null], 'done'],
  [{ what: 'role', room: a, name: bob, role: 'moderator' }, ['role', 'a', 'bob', 'moderator'], 'done'],
  [{ what: 'kick', room: a, name: bob, reason: null }, ['kick', 'a', 'bob', undefined], 'done'],
  [
    { what: 'ban', penalty: 'ban', room: a, target: 'bob', durationMs: 5, reason: 'x' },
    ['ban', 'a', 'bob', 5, 'x'],
    'done',
  ],
  [
    { what: 'ban', penalty: 'mute', room: a, target: 'bob', durationMs: null, reason: null },
    ['mute', 'a', 'bob', null, undefined],
    'done',
  ],
  [{ what: 'unban', penalty: 'ban', room: a, target: 'bob' }, ['unban', 'a', 'bob'], 'done'],
  [{ what: 'unban', penalty: 'mute', room: a, target: 'bob' }, ['unmute', 'a', 'bob'], 'done'],
];

describe('asking', () => {
  test.each(ASKS)('%o', async (ask, call, type) => {
    const { port, calls } = portThat([]);
    const event = await heard(port, { type: 'ask', ask, window: 'room a' });
    expect(calls).toEqual([call]);
    expect(event).toMatchObject({ type: 'answered', ask, window: 'room a', answer: { type } });
  });

  test('tells a refusal as an answer', async () => {
    const error = new BcastError('NOT_ALLOWED');
    const event = await heard(portThat(error).port, { type: 'ask', ask: { what: 'rooms' }, window: 'room a' });
    expect(event).toMatchObject({ answer: { type: 'refused', error } });
  });
});

describe('saying', () => {
  test('tells the id it goes under, and when it was accepted', async () => {
    const { port, calls } = portThat({ ts: NOON_MS });
    const events: TuiEvent[] = [];
    const said = new Promise<void>((resolve) => {
      const dispatch = (event: TuiEvent): void => {
        events.push(event);
        if (event.type === 'said') resolve();
      };
      perform({ type: 'say', ticket: 3, room: a, kind: 'action', body: 'waves' }, { port, newId: () => ID, dispatch });
    });
    expect(events).toEqual([{ type: 'saying', ticket: 3, id: ID }]);
    await said;
    expect(calls).toEqual([['say', 'a', 'waves', { kind: 'action', id: ID }]]);
    expect(events.at(-1)).toEqual({ type: 'said', ticket: 3, ts: NOON_MS });
  });

  test('to followers reports the same way', async () => {
    const { port, calls } = portThat({ ts: NOON_MS });
    expect(await heard(port, { type: 'publish', ticket: 3, body: 'news' })).toMatchObject({ type: 'said', ticket: 3 });
    expect(calls).toEqual([['publish', 'news']]);
  });

  test('reports a refusal, whatever was thrown', async () => {
    const event = await heard(portThat(new Error('odd')).port, {
      type: 'tell',
      ticket: 4,
      to: bob,
      kind: 'text',
      body: 'x',
    });
    expect(event).toMatchObject({ type: 'unsaid', ticket: 4, error: { code: 'INTERNAL' } });
  });

  test('marks that do not get through bother nobody', async () => {
    const { port, calls } = portThat(new BcastError('SLOW_DOWN'));
    const silent = { port, newId: () => ID, dispatch: () => expect.fail('nothing is told') };
    perform({ type: 'typing', room: a }, silent);
    await Promise.resolve();
    expect(calls).toEqual([['typing', 'a']]);
  });

  test('what was seen is passed on', () => {
    const calls: unknown[] = [];
    const port = { markRead: (...call: unknown[]) => calls.push(call) } as unknown as ChatPort;
    perform({ type: 'seen', room: a, seq: 7 }, { port, newId: () => ID, dispatch: () => undefined });
    expect(calls).toEqual([['a', 7]]);
  });
});
