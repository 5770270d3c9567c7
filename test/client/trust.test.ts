import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ServerAddress } from '../../lib/client/address.ts';
import { findKnownServer } from '../../lib/client/known-servers.ts';
import { Trustee, type TrustPolicy } from '../../lib/client/trust.ts';
import type { LocalServer } from '../../lib/config/local-server.ts';
import type { BcastError } from '../../lib/errors.ts';
import { scratchDir } from '../helpers/scratch-dir.ts';

const A = `SHA256:${'A'.repeat(43)}`;
const B = `SHA256:${'B'.repeat(42)}A`;
const C = `SHA256:${'C'.repeat(42)}A`;
const ADDRESS: ServerAddress = { host: '127.0.0.1', port: 9000 };
const KEY = '127.0.0.1:9000';

function local(over: Partial<LocalServer> = {}): LocalServer {
  return { url: '', host: '127.0.0.1', port: 9000, fingerprint: A, pid: 1, startedMs: 1, adminSocket: null, ...over };
}

function known(content = ''): string {
  const path = join(scratchDir(), 'known_servers');
  writeFileSync(path, content);
  return path;
}

/** What a fresh client makes of a server that shows `fingerprint`: the reason it is trusted, or the error's code. */
function decide(policy: TrustPolicy, fingerprint = A, address = ADDRESS): string {
  try {
    return new Trustee(policy, address).decide(fingerprint);
  } catch (error) {
    return (error as BcastError).code;
  }
}

describe('the first connection', () => {
  test.each<[string, TrustPolicy | (() => TrustPolicy), string | undefined, string]>([
    ['a pinned fingerprint that matches', { fingerprint: A }, undefined, 'pinned'],
    ['a pinned fingerprint that does not', { fingerprint: B }, undefined, 'SERVER_CHANGED'],
    ['the URL pin', {}, A, 'pinned'],
    ['another URL pin', {}, B, 'SERVER_CHANGED'],
    ['two pins of which one does not match', { fingerprint: A }, B, 'SERVER_CHANGED'],
    [
      'a pin against a known other key',
      () => ({ fingerprint: A, knownServers: known(`${KEY} ${B}\n`) }),
      undefined,
      'pinned',
    ],
    [
      'a wrong pin whatever else is said',
      () => ({ fingerprint: B, acceptNew: true, localServers: [local()] }),
      undefined,
      'SERVER_CHANGED',
    ],
    ['a server of this account', { localServers: [local()] }, undefined, 'local'],
    ['a server of this account on all addresses', { localServers: [local({ host: '0.0.0.0' })] }, undefined, 'local'],
    ['a server of this account at another port', { localServers: [local({ port: 1 })] }, undefined, 'SERVER_UNKNOWN'],
    [
      'a server of this account with another key',
      { localServers: [local({ fingerprint: B })] },
      undefined,
      'SERVER_UNKNOWN',
    ],
    [
      'a server of this account elsewhere',
      { localServers: [local({ host: '10.0.0.1' })] },
      undefined,
      'SERVER_UNKNOWN',
    ],
    ['a known server', () => ({ knownServers: known(`${KEY} ${A}\n`) }), undefined, 'known'],
    ['a known server with another key', () => ({ knownServers: known(`${KEY} ${B}\n`) }), undefined, 'SERVER_CHANGED'],
    [
      'a changed key that new ones are accepted for',
      () => ({ knownServers: known(`${KEY} ${B}\n`), acceptNew: true }),
      undefined,
      'SERVER_CHANGED',
    ],
    [
      'a changed key that is asked about',
      () => ({ knownServers: known(`${KEY} ${B}\n`), ask: async () => true }),
      undefined,
      'SERVER_CHANGED',
    ],
    ['a new server where they are accepted', () => ({ knownServers: known(), acceptNew: true }), undefined, 'accepted'],
    ['a new server where nothing is remembered', { acceptNew: true }, undefined, 'accepted'],
    ['a new server', () => ({ knownServers: known() }), undefined, 'SERVER_UNKNOWN'],
    ['a new server and nothing said', {}, undefined, 'SERVER_UNKNOWN'],
    [
      'a known server at another port',
      () => ({ knownServers: known(`127.0.0.1:9001 ${A}\n`) }),
      undefined,
      'SERVER_UNKNOWN',
    ],
    ['a damaged entry', () => ({ knownServers: known(`${KEY} SHA256:x\n`), acceptNew: true }), undefined, 'CONFIG'],
  ])('with %s', (_, policy, fingerprint, expected) => {
    const address = fingerprint === undefined ? ADDRESS : { ...ADDRESS, fingerprint };
    expect(decide(typeof policy === 'function' ? policy() : policy, A, address)).toBe(expected);
  });

  test('that accepts a new server remembers it', () => {
    const knownServers = known();
    expect(decide({ knownServers, acceptNew: true })).toBe('accepted');
    expect(decide({ knownServers })).toBe('known');
    expect(decide({ knownServers, acceptNew: true }, B)).toBe('SERVER_CHANGED');
  });

  test('that refuses says what is needed: the line and the file, or the flag and the fingerprint', () => {
    const knownServers = known(`# x\n${KEY} ${B}\n`);
    expect(() => new Trustee({ knownServers }, ADDRESS).decide(A)).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/CHANGED.*line 2 of .*known_servers/) }),
    );
    expect(() => new Trustee({}, ADDRESS).decide(A)).toThrow(
      expect.objectContaining({ message: expect.stringContaining(`--fingerprint ${A}`) }),
    );
  });
});

describe('asking', () => {
  test('a yes is remembered and holds for the next connection', async () => {
    const knownServers = known();
    const asked: string[][] = [];
    const ask = async (...question: string[]) => asked.push(question) > 0;
    const trustee = new Trustee({ knownServers, ask }, ADDRESS);
    expect(() => trustee.decide(A)).toThrow(expect.objectContaining({ code: 'SERVER_UNKNOWN' }));
    expect(await trustee.ask(A)).toBe(true);
    expect(trustee.decide(A)).toBe('accepted');
    expect(asked).toEqual([[KEY, A]]);
    expect(findKnownServer(knownServers, KEY)?.fingerprint).toBe(A);
  });

  test('a no is a no, and nothing is remembered', async () => {
    const knownServers = known();
    const trustee = new Trustee({ knownServers, ask: async () => false }, ADDRESS);
    expect(await trustee.ask(A)).toBe(false);
    expect(() => trustee.decide(A)).toThrow();
    expect(findKnownServer(knownServers, KEY)).toBeUndefined();
  });

  test('a yes for one key is none for another that shows up next', async () => {
    const trustee = new Trustee({ ask: async () => true }, ADDRESS);
    expect(await trustee.ask(A)).toBe(true);
    expect(() => trustee.decide(B)).toThrow(expect.objectContaining({ code: 'SERVER_CHANGED' }));
  });

  test('while somebody else accepted another key for the same address, ends in distrust', async () => {
    const knownServers = known();
    const ask = async () => {
      writeFileSync(knownServers, `${KEY} ${B}\n`);
      return true;
    };
    await expect(new Trustee({ knownServers, ask }, ADDRESS).ask(A)).rejects.toMatchObject({ code: 'SERVER_CHANGED' });
  });
});

describe('a later connection', () => {
  test('keeps to the key of the first, remembered or not', () => {
    const trustee = new Trustee({ acceptNew: true }, ADDRESS);
    expect(trustee.decide(A)).toBe('accepted');
    expect(trustee.decide(A)).toBe('accepted');
    expect(() => trustee.decide(B)).toThrow(expect.objectContaining({ code: 'SERVER_CHANGED' }));
  });

  test('asks nobody', async () => {
    const trustee = new Trustee({ acceptNew: true, ask: async () => true }, ADDRESS);
    trustee.decide(A);
    expect(await trustee.ask(B)).toBe(false);
  });

  test('follows a server of this account that was set up anew', () => {
    let servers = [local()];
    const trustee = new Trustee({ localServers: () => servers }, ADDRESS);
    expect(trustee.decide(A)).toBe('local');
    servers = [local({ fingerprint: C })];
    expect(trustee.decide(C)).toBe('local');
  });

  test('follows a known servers file that a person has corrected', () => {
    const knownServers = known(`${KEY} ${A}\n`);
    const trustee = new Trustee({ knownServers }, ADDRESS);
    expect(trustee.decide(A)).toBe('known');
    expect(() => trustee.decide(B)).toThrow();
    writeFileSync(knownServers, `${KEY} ${B}\n`);
    expect(trustee.decide(B)).toBe('known');
  });
});
