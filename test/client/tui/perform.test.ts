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

/** What the program hears when this has been done. */
function heard(port: ChatPort, effect: Parameters<typeof perform>[1]): Promise<TuiEvent> {
  return new Promise((resolve) => perform(port, effect, resolve));
}

const ASKS: readonly (readonly [Ask, unknown[], string])[] = [
  [{ what: 'names', room: room('a'), isShown: true }, ['names', 'a'], 'members'],
  [{ what: 'rooms' }, ['rooms'], 'rooms'],
  [{ what: 'whois', name: user('bob') }, ['whois', 'bob'], 'user'],
  [{ what: 'bans', room: room('a') }, ['bans', 'a'], 'bans'],
  [{ what: 'older', room: room('a'), before: 7 }, ['history', 'a', { beforeSeq: 7, limit: 100 }], 'messages'],
  [{ what: 'join', room: room('a'), isToFront: true }, ['join', 'a', { backlog: { last: 100 }, watch: true }], 'done'],
  [{ what: 'leave', room: room('a') }, ['leave', 'a'], 'done'],
  [{ what: 'topic', room: room('a'), topic: null }, ['topic', 'a', null], 'done'],
  [{ what: 'nick', name: user('bob') }, ['nick', 'bob'], 'done'],
  [{ what: 'away', text: null }, ['away', null], 'done'],
  [{ what: 'kick', room: room('a'), name: user('bob'), reason: null }, ['kick', 'a', 'bob', undefined], 'done'],
  [{ what: 'ban', room: room('a'), target: 'bob', durationMs: 5, reason: 'x' }, ['ban', 'a', 'bob', 5, 'x'], 'done'],
  [{ what: 'unban', room: room('a'), target: 'bob' }, ['unban', 'a', 'bob'], 'done'],
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
  test('reports when it was accepted, under its ticket', async () => {
    const { port, calls } = portThat({ ts: NOON_MS });
    const event = await heard(port, { type: 'say', ticket: 3, room: room('a'), kind: 'action', body: 'waves' });
    expect(calls).toEqual([['say', 'a', 'waves', { kind: 'action' }]]);
    expect(event).toEqual({ type: 'said', ticket: 3, ts: NOON_MS });
  });

  test('reports a refusal, whatever was thrown', async () => {
    const event = await heard(portThat(new Error('odd')).port, {
      type: 'tell',
      ticket: 4,
      to: user('bob'),
      kind: 'text',
      body: 'x',
    });
    expect(event).toMatchObject({ type: 'unsaid', ticket: 4, error: { code: 'INTERNAL' } });
  });

  test('a typing mark that does not get through bothers nobody', async () => {
    const { port, calls } = portThat(new BcastError('SLOW_DOWN'));
    perform(port, { type: 'typing', room: room('a') }, () => expect.fail('nothing is told'));
    await Promise.resolve();
    expect(calls).toEqual([['typing', 'a']]);
  });
});
