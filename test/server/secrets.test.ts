import { describe, expect, test } from 'vitest';
import { createSecrets } from '../../lib/server/secrets.ts';
import { createNativeCrypto } from '../../lib/wire/crypto/native.ts';

describe('a room code', () => {
  test('is five of A-Z and 0-9, each as likely', () => {
    const secrets = createSecrets(createNativeCrypto(), new Uint8Array(32));
    const seen = new Map<string, number>();
    for (let i = 0; i < 4_000; i += 1) {
      const code = secrets.newRoomCode();
      expect(code).toMatch(/^[A-Z0-9]{5}$/);
      for (const character of code) seen.set(character, (seen.get(character) ?? 0) + 1);
    }
    expect(seen.size).toBe(36);
    // 556 expected of each; a source without rejection would favour four of them by a seventh.
    for (const count of seen.values()) expect(count).toBeGreaterThan(400);
  });

  test('leaves a digest that differs by room and by key', () => {
    const crypto = createNativeCrypto();
    const [one, other] = [1, 2].map((byte) => createSecrets(crypto, new Uint8Array(32).fill(byte)));
    const digest = one?.codeDigest('den' as never, 'A1B2C');
    expect(digest).toBe(one?.codeDigest('den' as never, 'A1B2C'));
    expect(digest).not.toContain('A1B2C');
    expect(digest).not.toBe(one?.codeDigest('attic' as never, 'A1B2C'));
    expect(digest).not.toBe(other?.codeDigest('den' as never, 'A1B2C'));
  });
});
