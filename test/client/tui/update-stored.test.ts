import { describe, expect, test } from 'vitest';
import type { ClientEvent } from '../../../lib/client/events.ts';
import { BcastError } from '../../../lib/errors.ts';
import { FINGERPRINT, message, NOON_MS, Play, room, user } from './play.ts';

const OWN_ID = 'f'.repeat(32);

function unstored(from: string, body: string, number: number): ClientEvent {
  const id = String(number).padStart(32, '0');
  return {
    type: 'unstored',
    room: room('lobby'),
    from: user(from),
    fp: FINGERPRINT,
    kind: 'text',
    ts: NOON_MS,
    id,
    body,
  };
}

/** The same, stored. */
function stored(event: ClientEvent, seq: number, isHistory = false): ClientEvent {
  if (event.type !== 'unstored') throw new Error('unreachable');
  return { ...event, type: 'message', seq, isHistory };
}

function bodies(play: Play): string[] {
  return play
    .entries('lobby')
    .flatMap((entry) => (entry.type === 'message' ? [`${entry.isStored ? '' : '?'}${entry.body}`] : []));
}

/** We have said something that is on its way. */
function saying(body: string): Play {
  return Play.inRooms(['lobby']).keys(`${body}\r`).event({ type: 'saying', ticket: 1, id: OWN_ID });
}

function ours(body: string, seq: number): ClientEvent {
  const event = message('lobby', 'alice', body, { seq });
  return event.type === 'message' ? { ...event, id: OWN_ID } : event;
}

describe('what is not stored yet', () => {
  test('is shown at once, says so, and is put right in its place', () => {
    const said = unstored('bob', 'anybody there?', 1);
    const play = Play.inRooms(['lobby']).client(message('lobby', 'bob', 'before'), said);
    expect(bodies(play)).toEqual(['before', '?anybody there?']);
    expect(play.screen().join('\n')).toMatch(/anybody there\? \(not stored yet\)/);
    play.client(unstored('carol', 'me', 2), stored(said, 2));
    expect(bodies(play)).toEqual(['before', 'anybody there?', '?me']);
    expect(play.screen().join('\n')).not.toMatch(/there\? \(not/);
  });

  test('is counted once, and rings once', () => {
    const said = unstored('bob', 'alice: look', 1);
    const play = Play.inRooms(['builds', 'lobby']).client(said);
    expect(play.window('lobby')).toMatchObject({ unread: 1, mentions: 1 });
    expect(play.took().filter(({ type }) => type === 'bell')).toHaveLength(0);
    play.wait(60_000).client(stored(said, 1));
    expect(play.window('lobby')).toMatchObject({ unread: 1, mentions: 1 });
    expect(play.took().filter(({ type }) => type === 'bell')).toHaveLength(0);
  });

  test('is put right by history too, after a cut', () => {
    const said = unstored('bob', 'x', 1);
    const play = Play.inRooms(['lobby']).client(said, said, stored(said, 1, true));
    expect(bodies(play)).toEqual(['x']);
  });

  test('is said in the status line for a while', () => {
    const play = Play.inRooms(['lobby'], 120).client(unstored('bob', 'x', 1));
    expect(play.screen().join('\n')).toMatch(/cannot store/);
    expect(play.wait(5_000).screen().join('\n')).not.toMatch(/cannot store/);
    play.client({ type: 'unavailable', retryAfterMs: 1_000 });
    expect(play.screen().join('\n')).toMatch(/cannot store/);
  });

  test('by somebody who is ignored is not shown', () => {
    const play = Play.inRooms(['lobby'])
      .keys('/ignore bob\r')
      .client(unstored('bob', 'x', 1));
    expect(bodies(play)).toEqual([]);
  });

  test('stays as it is when it never is, and costs nothing to remember', () => {
    const play = Play.inRooms(['lobby']);
    for (let number = 0; number < 700; number += 1) play.client(unstored('bob', `m${number}`, number));
    expect(play.window('lobby').unstored).toHaveLength(500);
    play.keys('/clear\r').client(stored(unstored('bob', 'm699', 699), 9));
    expect(bodies(play)).toEqual([]);
  });
});

describe('our own line', () => {
  test('is shown at once, and says that it waits when it does so for long', () => {
    const play = saying('hello');
    expect(play.screen().join('\n')).toMatch(/… {2}hello /);
    expect(play.screen().join('\n')).not.toMatch(/not stored/);
    expect(play.wait(2_000).screen().join('\n')).toMatch(/hello \(not stored yet\)/);
    play.client(ours('hello', 1));
    expect(play.active.pending).toEqual([]);
    expect(bodies(play)).toEqual(['hello']);
    play.event({ type: 'said', ticket: 1, ts: NOON_MS });
    expect(bodies(play)).toEqual(['hello']);
  });

  test('stands before what others answer while nothing can be stored, and is put right there', () => {
    const answer = unstored('bob', 'hi alice', 1);
    const play = saying('hello').client(answer);
    expect(bodies(play)).toEqual(['?hello', '?hi alice']);
    expect(play.active.pending).toEqual([]);
    play.client(ours('hello', 1), stored(answer, 2)).event({ type: 'said', ticket: 1, ts: NOON_MS });
    expect(bodies(play)).toEqual(['hello', 'hi alice']);
    expect(play.active.unstored).toEqual([]);
  });

  test('that was stored before, as a resend may find, counts as stored when it is acknowledged', () => {
    const play = saying('hello')
      .client(unstored('bob', 'x', 1))
      .event({ type: 'said', ticket: 1, ts: NOON_MS });
    expect(bodies(play)).toEqual(['hello', '?x']);
  });

  test('that is refused after all says so where it stood', () => {
    const play = saying('hello').client(unstored('bob', 'x', 1));
    play.event({ type: 'unsaid', ticket: 1, error: new BcastError('MUTED') });
    expect(bodies(play)).toEqual(['?x']);
    expect(play.entries().at(-2)).toMatchObject({ text: 'Not sent: You may not speak here. You wrote: hello' });
  });

  test('is not shown twice when the server passes it on to us as well', () => {
    const event = unstored('alice', 'hello', 1);
    if (event.type !== 'unstored') throw new Error('unreachable');
    const play = saying('hello').client({ ...event, id: OWN_ID });
    expect(bodies(play)).toEqual([]);
    expect(play.active.pending).toHaveLength(1);
  });
});
