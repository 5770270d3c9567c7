import fc from 'fast-check';
import { expect, test } from 'vitest';
import { newMessageId } from '../../lib/client/message-id.ts';

test('an id is a UUIDv7: the time, version 7, variant 10, and the random bits', () => {
  // The example of RFC 9562, appendix A.6.
  const random = [0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f];
  expect(newMessageId(0x017f22e279b0, () => Uint8Array.from(random))).toBe('017f22e279b07cc398c4dc0c0c07398f');
});

test('ids of later moments sort behind those of earlier ones', () => {
  const randomBytes = fc.uint8Array({ minLength: 10, maxLength: 10 });
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.integer({ min: 1, max: 1e9 }), randomBytes, randomBytes, (seed, later, a, b) => {
      const nowMs = seed % 0xff_ffff_ffff;
      const [first, second] = [newMessageId(nowMs, () => a.slice()), newMessageId(nowMs + later, () => b.slice())];
      expect(first).toMatch(/^[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}$/);
      expect(first < second).toBe(true);
    }),
  );
});
