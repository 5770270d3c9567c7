import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nameKey, requireUserName } from '../../../lib/protocol/names.ts';
import {
  decodeHolder,
  encodeHolder,
  type NetworkWord,
  networkLanguage,
  type RoomWord,
  roomLanguage,
} from '../../../lib/server/backplane/redis/news.ts';
import type { Holder } from '../../../lib/server/hub/ports.ts';

const NODE = '0123456789abcdef';
const name = requireUserName('Ärger');
const fp = `SHA256:${'A'.repeat(43)}`;
const holder: Holder = {
  key: nameKey(name),
  name,
  subject: `@${nameKey(name)}`,
  fps: [fp],
  isAdmin: true,
  isRegistered: true,
  away: 'tea',
  sinceMs: 1,
};

const ROOM_WORD: RoomWord = { type: 'member', holder, isHere: true, bytes: Uint8Array.of(1, 2, 3) };
const WORD: NetworkWord = { type: 'tell', key: holder.key, id: 'x', bytes: Uint8Array.of(1, 2, 3) };
const FAILED: NetworkWord = { type: 'failed', at: 'code', keys: ['fe80::1%eth0 den', `${fp} den`, 'den'] };
const PAYLOADS = [roomLanguage.encode(NODE, ROOM_WORD), networkLanguage.encode(NODE, WORD)];

test('gives back what was said, and who said it', () => {
  expect(roomLanguage.decode(PAYLOADS[0] as Buffer)).toEqual({ node: NODE, word: ROOM_WORD });
  expect(networkLanguage.decode(PAYLOADS[1] as Buffer)).toEqual({ node: NODE, word: WORD });
  expect(networkLanguage.decode(networkLanguage.encode(NODE, FAILED))?.word).toEqual(FAILED);
  expect(decodeHolder(encodeHolder(holder))).toEqual(holder);
});

test('believes nothing that is cut short or has something behind it', () => {
  for (const payload of PAYLOADS) {
    for (let end = 0; end < payload.length; end += 1)
      expect(decodeBoth(payload.subarray(0, end))).toEqual([null, null]);
    expect(decodeBoth(Buffer.concat([payload, Buffer.of(0)]))).toEqual([null, null]);
  }
});

test('takes anything without a fault, and no holder whose name and key differ', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(), (bytes, at) => {
      decodeBoth(Buffer.from(bytes));
      decodeHolder(Buffer.from(bytes).toString('base64'));
      for (const payload of PAYLOADS) {
        const bent = Buffer.from(payload);
        const place = at % bent.length;
        bent[place] = (bent[place] as number) ^ (bytes[0] ?? 1);
        const [said] = decodeBoth(bent);
        if (said?.word.type === 'member') expect(nameKey(said.word.holder.name)).toBe(said.word.holder.key);
      }
    }),
    { numRuns: 2_000 },
  );
  expect(decodeHolder(encodeHolder({ ...holder, key: nameKey(requireUserName('eve')) }))).toBeNull();
  expect(decodeHolder(encodeHolder({ ...holder, fps: [] }))).toBeNull();
  for (const value of [null, 7, '', '%%%']) expect(decodeHolder(value)).toBeNull();
});

function decodeBoth(payload: Buffer) {
  return [roomLanguage.decode(payload), networkLanguage.decode(payload)] as const;
}
