import { describe, expect, test } from 'vitest';
import type { ClientEvent, PrivateMessage, RoomMessage } from '../../../lib/client/events.ts';
import { formatMessage, formatNotice, formatReceipt, noticesOf } from '../../../lib/client/pipe/format.ts';
import { requireRoomName, requireUserName } from '../../../lib/protocol/names.ts';

const lobby = requireRoomName('lobby');
const alice = requireUserName('alice');
const bob = requireUserName('bob');
const ts = new Date(2026, 10, 21, 7, 5, 59, 123).getTime();
const fp = `SHA256:${'A'.repeat(43)}`;
const id = '0192f0c123457abc8def0123456789ab';

const said = (body: string, more: Partial<RoomMessage> = {}): RoomMessage => ({
  type: 'message',
  room: lobby,
  seq: 7,
  ts,
  from: alice,
  fp,
  id,
  kind: 'text',
  body,
  isHistory: false,
  ...more,
});
const told = (body: string): PrivateMessage => ({
  type: 'private',
  from: alice,
  fp,
  to: bob,
  kind: 'text',
  ts,
  id,
  body,
});

describe('text', () => {
  test('is the local hour and minute, the name and the words', () => {
    expect(formatMessage('text', said('hi there'))).toBe('07:05 <alice> hi there');
  });

  test('shows an action as a deed', () => {
    expect(formatMessage('text', said('waves', { kind: 'action' }))).toBe('07:05 * alice waves');
    expect(formatMessage('text', { ...told('waves'), kind: 'action' })).toBe('07:05 * alice -> bob waves');
  });

  test('marks a private message with both names', () => {
    expect(formatMessage('text', told('psst'))).toBe('07:05 <alice -> bob> psst');
  });

  test('stays one line, so that no body can pass for another message', () => {
    expect(formatMessage('text', said('hi\n07:05 <bob> I quit'))).toBe('07:05 <alice> hi\\n07:05 <bob> I quit');
    expect(formatMessage('text', said('\u001b[2J\r\u202e'))).toBe('07:05 <alice> \\x1b[2J\\r\\u202e');
  });
});

describe('JSON', () => {
  test('has the documented keys in the documented order', () => {
    expect(formatMessage('json', said('hi'))).toBe(
      `{"v":1,"type":"message","id":"0192f0c1-2345-7abc-8def-0123456789ab","seq":7,"ts":"${new Date(ts).toISOString()}",` +
        `"room":"lobby","from":"alice","fp":"${fp}","body":"hi","to":null,"kind":"text"}`,
    );
    expect(Object.keys(JSON.parse(formatMessage('json', told('x'))))).toEqual(
      'v type id seq ts room from fp body to kind'.split(' '),
    );
  });

  test('carries the body untouched and on one line', () => {
    const body = 'a\n\u001b[31m\u202e"\\\u2028🎉';
    const line = formatMessage('json', said(body));
    expect(line).not.toContain('\n');
    expect(JSON.parse(line)).toMatchObject({ body });
  });

  test('tells history from what is new', () => {
    expect(JSON.parse(formatMessage('json', said('x', { isHistory: true })))).toMatchObject({ history: true });
    expect(JSON.parse(formatMessage('json', said('x')))).not.toHaveProperty('history');
  });

  test('survives a time no calendar has', () => {
    expect(JSON.parse(formatMessage('json', said('x', { ts: Number.MAX_SAFE_INTEGER })))).toMatchObject({
      ts: '9999-12-31T23:59:59.999Z',
    });
  });
});

test('raw is the body and nothing else', () => {
  expect(formatMessage('raw', said('\u001b[31mred\n'))).toBe('\u001b[31mred\n');
});

test('a receipt has seq, id, room and ts', () => {
  expect(formatReceipt({ id, room: lobby, seq: 7, ts: 0 })).toBe(
    '{"seq":7,"id":"0192f0c1-2345-7abc-8def-0123456789ab","room":"lobby","ts":"1970-01-01T00:00:00.000Z"}',
  );
  expect(JSON.parse(formatReceipt({ id, room: null, seq: null, ts: 0 }))).toMatchObject({ room: null, seq: null });
});

describe('events', () => {
  const presence = (change: string, other: string | null, text: string | null) =>
    ({ type: 'presence', room: lobby, changes: [{ change, name: alice, other, text }] }) as ClientEvent;
  const cases: [ClientEvent, string, Record<string, unknown>][] = [
    [presence('join', null, null), 'alice joined lobby', { type: 'join', from: 'alice', room: 'lobby' }],
    [presence('leave', null, 'bye\u001b'), 'alice left lobby: bye\\x1b', { type: 'leave', body: 'bye\u001b' }],
    [presence('nick', 'al', null), 'alice is now al', { type: 'nick', from: 'alice', to: 'al' }],
    [presence('away', null, 'lunch'), 'alice is away: lunch', { type: 'away', body: 'lunch' }],
    [presence('back', null, null), 'alice is back', { type: 'back', from: 'alice' }],
    [presence('kick', 'bob', 'no'), 'bob removed alice from lobby: no', { type: 'kick', from: 'bob', to: 'alice' }],
    [presence('ban', 'bob', null), 'bob banned alice from lobby', { type: 'ban', from: 'bob', to: 'alice' }],
    [
      presence('role', 'bob', 'owner'),
      'alice is now owner of lobby',
      { type: 'role', from: 'bob', to: 'alice', body: 'owner' },
    ],
    [
      { type: 'topic', room: lobby, topic: 'T\u0007', by: bob, ts },
      'bob set the topic of lobby: T\\x07',
      { type: 'topic', body: 'T\u0007' },
    ],
    [
      { type: 'topic', room: lobby, topic: null, by: bob, ts },
      'bob cleared the topic of lobby',
      { type: 'topic', body: null },
    ],
    [{ type: 'left', room: lobby }, 'you left lobby', { type: 'left' }],
    [{ type: 'forgotten', room: lobby }, 'the server started over and forgot lobby', { type: 'forgotten' }],
    [
      { type: 'gap', room: lobby, first: 3, last: 5 },
      'messages 3 to 5 of lobby can no longer be had (3 lost)',
      { type: 'gap', body: '3-5' },
    ],
    [
      { type: 'gap', room: lobby, first: 3, last: 3 },
      'message 3 of lobby can no longer be had (1 lost)',
      { type: 'gap', body: '3-3' },
    ],
    [
      { type: 'lagged', room: lobby, dropped: 9 },
      'too slow: 9 messages in lobby are being fetched again',
      { type: 'lagged' },
    ],
    [
      { type: 'removed', room: lobby, removal: 'ban', by: bob, reason: 'spam', untilMs: 0 },
      'bob banned you from lobby until 1970-01-01T00:00:00.000Z: spam',
      { type: 'ban', from: 'bob', body: 'spam' },
    ],
    // No server may throw us out with a date that there is not.
    [
      { type: 'removed', room: lobby, removal: 'ban', by: bob, reason: null, untilMs: Number.MAX_SAFE_INTEGER },
      'bob banned you from lobby until 9999-12-31T23:59:59.999Z',
      { type: 'ban', from: 'bob', body: null },
    ],
  ];

  test.each(cases)('%j reads well and has the stable keys', (event, text, keys) => {
    const [notice] = noticesOf(event, ts);
    if (notice === undefined) throw new Error('no notice');
    expect(formatNotice('text', notice)).toMatch(`07:05 -!- ${text}`);
    const json = JSON.parse(formatNotice('json', notice));
    expect(json).toMatchObject(keys);
    expect(Object.keys(json)).toEqual('v type id seq ts room from fp body to kind'.split(' '));
  });

  test('leave out messages, typing and what the client does for itself', () => {
    expect(noticesOf(said('x'), ts)).toEqual([]);
    expect(noticesOf({ type: 'typing', room: lobby, name: alice }, ts)).toEqual([]);
    expect(noticesOf({ type: 'slowDown', retryAfterMs: 5 }, ts)).toEqual([]);
  });
});
