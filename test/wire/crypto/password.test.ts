import { describe, expect, test } from 'vitest';
import { hashPassword, verifyPassword } from '../../../lib/wire/crypto/password.ts';

describe('a password', () => {
  test('hashes to something else each time, and verifies against each', async () => {
    const [one, other] = [await hashPassword('correct horse'), await hashPassword('correct horse')];
    expect(one).not.toBe(other);
    expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(one).not.toContain('horse');
    expect(await verifyPassword('correct horse', one)).toBe(true);
    expect(await verifyPassword('correct horse', other)).toBe(true);
    expect(await verifyPassword('Correct horse', one)).toBe(false);
  });

  // RFC 9106 has no vector without secret and associated data; this one is of the reference implementation's tests.
  test('verifies against a hash that another program made', async () => {
    const hash = '$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4';
    expect(await verifyPassword('password', hash)).toBe(true);
    expect(await verifyPassword('passwort', hash)).toBe(false);
  });

  test('is the same however its letters are composed', async () => {
    expect(await verifyPassword('caf\u0065\u0301 au lait', await hashPassword('caf\u00e9 au lait'))).toBe(true);
  });

  test.each([
    null,
    '',
    'nonsense',
    '$argon2id$v=19$m=9999999,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4',
    '$argon2id$v=19$m=1,t=0,p=0$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4',
  ])('is not that of %s', async (hash) => {
    expect(await verifyPassword('password', hash)).toBe(false);
  });
});
