import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MAX_BODY_BYTES } from '../../../lib/limits.ts';
import type { NameKey, UserName } from '../../../lib/protocol/names.ts';
import { packMessage, unpackMessage } from '../../../lib/server/redis/packed-message.ts';

const ROOM = 'builds' as NameKey;
const message = {
  room: ROOM,
  id: '0123456789abcdef0123456789abcdef',
  isAgain: false,
  from: 'straße-日本' as UserName,
  fp: `SHA256:${'+/Az09'.repeat(8).slice(0, 43)}`,
  kind: 'action',
  body: 'a\nb',
  ts: 5,
} as const;

test('a message comes out as it went in, whatever it says', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), fc.constantFrom('text', 'action'), (body, kind) => {
      const { isAgain: _, ...kept } = { ...message, body, kind };
      expect(unpackMessage(ROOM, 7, 5, packMessage({ ...message, body, kind }))).toEqual({ ...kept, seq: 7 });
    }),
  );
});

test.each([
  ['nothing', ''],
  ['another kind', packMessage(message).replace('a', 'x')],
  ['an id in capitals', packMessage(message).replace('abcdef', 'ABCDEF')],
  ['no end of the name', packMessage({ ...message, body: '' }).slice(0, -1)],
  ['a name that is none', packMessage({ ...message, from: 'a b' as UserName })],
  ['a name in another form', packMessage({ ...message, from: 'e\u0301' as UserName })],
  ['an endless name', packMessage({ ...message, from: 'a'.repeat(300) as UserName })],
  ['an endless body', packMessage({ ...message, body: 'x'.repeat(MAX_BODY_BYTES + 1) })],
])('%s is no message', (_what, packed) => {
  expect(unpackMessage(ROOM, 1, 1, packed)).toBeNull();
});

test.each([Number.NaN, -1, 1.5, 2 ** 53])('%s is no place for a message', (place) => {
  const packed = packMessage(message);
  expect(unpackMessage(ROOM, place, 1, packed)).toBeNull();
  expect(unpackMessage(ROOM, 1, place, packed)).toBeNull();
});

test('a fingerprint that is none is not stored', () => {
  expect(() => packMessage({ ...message, fp: 'SHA256:short' })).toThrow();
});
