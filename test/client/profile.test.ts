import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadIdentity } from '../../lib/client/identity-file.ts';
import { nameOfAccount, profileFiles, rememberedName, rememberName } from '../../lib/client/profile.ts';
import { requireUserName } from '../../lib/protocol/names.ts';
import { createNativeCrypto } from '../../lib/wire/crypto/native.ts';
import { runParallel } from '../helpers/run-parallel.ts';
import { scratchDir } from '../helpers/scratch-dir.ts';

const crypto = createNativeCrypto();

function files() {
  const home = scratchDir();
  const at = (name: string) => join(home, name);
  return profileFiles({ config: at('config'), data: at('data'), state: at('state'), runtime: at('run') });
}

describe('the identity', () => {
  test('is made on first use, for this account alone, and stays', () => {
    const { identity: path } = files();
    const { fingerprint } = loadIdentity(path, crypto);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
    expect(readdirSync(dirname(path))).toEqual(['identity']);
    expect(loadIdentity(path, crypto).fingerprint).toBe(fingerprint);
  });

  test('that others can read is refused, with what to do', () => {
    const { identity: path } = files();
    loadIdentity(path, crypto);
    chmodSync(path, 0o640);
    expect(() => loadIdentity(path, crypto)).toThrow(
      expect.objectContaining({ code: 'CONFIG', message: expect.stringContaining('chmod 600') }),
    );
  });

  test('that is damaged is refused and left as it is, and its text is not repeated', () => {
    const { identity: path } = files();
    loadIdentity(path, crypto);
    const secret = readFileSync(path, 'utf8').replace('signing-seed ', 'signing-seed X');
    writeFileSync(path, secret);
    const error = (() => {
      try {
        return loadIdentity(path, crypto);
      } catch (thrown) {
        return thrown as Error;
      }
    })();
    expect(error).toMatchObject({ code: 'CONFIG' });
    for (const line of secret.split('\n').slice(1, 3)) expect(String(error)).not.toContain(line.slice(-20));
    expect(readFileSync(path, 'utf8')).toBe(secret);
  });

  test('that cannot be written is said to be so', () => {
    const { identity: path } = files();
    mkdirSync(join(dirname(path), '..'), { recursive: true });
    writeFileSync(dirname(path), 'a file where the directory should be');
    expect(() => loadIdentity(path, crypto)).toThrow(expect.objectContaining({ code: 'CONFIG' }));
  });

  test('made by many processes at once is one', async () => {
    const { identity: path } = files();
    const fingerprints = await runParallel(
      6,
      (_, lib) => `
        const { loadIdentity } = await import('${lib}client/identity-file.ts');
        const { createNativeCrypto } = await import('${lib}wire/crypto/native.ts');
        process.stdout.write(loadIdentity(${JSON.stringify(path)}, createNativeCrypto()).fingerprint);
      `,
    );
    expect(new Set(fingerprints).size).toBe(1);
    expect(readdirSync(dirname(path))).toEqual(['identity']);
  });
});

describe('the remembered name', () => {
  test('is none at first, then the one used last', () => {
    const profile = files();
    expect(rememberedName(profile)).toBeNull();
    rememberName(profile, requireUserName('alice'));
    rememberName(profile, requireUserName('zoë'));
    expect(rememberedName(profile)).toBe('zoë');
    expect(statSync(profile.profile).mode & 0o777).toBe(0o600);
  });

  test.each(['', '{', 'null', '[]', '{"name":7}', '{"name":"a b"}'])('in a file of %j counts as none', (content) => {
    const profile = files();
    rememberName(profile, requireUserName('alice'));
    writeFileSync(profile.profile, content);
    expect(rememberedName(profile)).toBeNull();
  });

  test('that cannot be written is forgotten quietly', () => {
    const profile = files();
    mkdirSync(profile.profile, { recursive: true });
    rememberName(profile, requireUserName('alice'));
    expect(rememberedName(profile)).toBeNull();
  });
});

test.each([
  ['alice', 'alice'],
  ['Zoë', 'Zoë'],
  ['DOMAIN\\alice', 'DOMAIN-alice'],
  ['alice smith', 'alice-smith'],
  ['-', '-'],
  ['!!!', 'user'],
  ['operator', 'user'],
  ['Operator!', 'user'],
  ['', 'user'],
  ['x'.repeat(80), 'x'.repeat(50)],
  [`${'x'.repeat(49)} y`, 'x'.repeat(49)],
])('the account %j goes by the name %j', (account, name) => {
  expect(nameOfAccount(account)).toBe(name);
});
