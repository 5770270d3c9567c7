import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  BINDING_BYTES,
  createBindingCache,
  decodeIdentityFile,
  encodeIdentityFile,
  fingerprintOf,
  generateIdentitySeeds,
  type IdentitySeeds,
  importIdentity,
  isFingerprint,
  verifyBinding,
} from '../../../lib/wire/crypto/identity.ts';
import { createPortableCrypto } from '../../../lib/wire/crypto/portable.ts';
import { concat, flipped, identityOf, native, toHex, utf8 } from '../fixtures.ts';
import { codeOf } from '../thrown.ts';

const portable = createPortableCrypto();
const seed = fc.uint8Array({ minLength: 32, maxLength: 32 });

describe('an identity', () => {
  test('is the same from the same seeds with either provider', () => {
    const a = identityOf(native, 3);
    const b = identityOf(portable, 3);
    expect(toHex(a.binding)).toBe(toHex(b.binding));
    expect(toHex(a.noiseStatic.publicKey)).toBe(toHex(b.noiseStatic.publicKey));
    expect(a.fingerprint).toBe(b.fingerprint);
  });

  test('binds its static key by a signature over a context and the key', () => {
    const { signing, noiseStatic, binding } = identityOf(native, 3);
    expect(binding).toHaveLength(BINDING_BYTES);
    expect(toHex(binding.subarray(0, 32))).toBe(toHex(signing.publicKey));
    const message = concat(utf8('bcast identity v1'), noiseStatic.publicKey);
    expect(native.verify(signing.publicKey, message, binding.subarray(32))).toBe(true);
  });

  test('is fresh every time it is generated', () => {
    const a = generateIdentitySeeds(native);
    const b = generateIdentitySeeds(native);
    expect(new Set([a.signingSeed, a.staticSecret, b.signingSeed, b.staticSecret].map(toHex)).size).toBe(4);
  });
});

describe('a binding', () => {
  test('says who the peer is', () => {
    const identity = identityOf(native, 3);
    const peer = verifyBinding(native, identity.noiseStatic.publicKey, identity.binding);
    expect(peer.fingerprint).toBe(identity.fingerprint);
    expect(toHex(peer.signingPublicKey)).toBe(toHex(identity.signing.publicKey));
    expect(toHex(peer.staticPublicKey)).toBe(toHex(identity.noiseStatic.publicKey));
  });

  test('does not verify when anything in it or the static key is changed, or its length', () => {
    const { noiseStatic, binding } = identityOf(native, 3);
    for (const crypto of [native, portable]) {
      for (const at of [0, 31, 32, 63, 64, 95]) {
        expect(codeOf(() => verifyBinding(crypto, noiseStatic.publicKey, flipped(binding, at)))).toBe(
          'HANDSHAKE_FAILED',
        );
      }
      expect(codeOf(() => verifyBinding(crypto, flipped(noiseStatic.publicKey, 0), binding))).toBe('HANDSHAKE_FAILED');
      for (const other of [binding.subarray(1), concat(binding, Uint8Array.of(0)), new Uint8Array(0)]) {
        expect(codeOf(() => verifyBinding(crypto, noiseStatic.publicKey, other))).toBe('HANDSHAKE_FAILED');
      }
    }
  });

  test('does not verify when it was signed without the context', () => {
    const { signing, noiseStatic } = identityOf(native, 3);
    for (const message of [noiseStatic.publicKey, concat(utf8('bcast identity v2'), noiseStatic.publicKey)]) {
      const binding = concat(signing.publicKey, native.sign(signing, message));
      expect(codeOf(() => verifyBinding(native, noiseStatic.publicKey, binding))).toBe('HANDSHAKE_FAILED');
    }
  });

  test('keeps copies of what it is given', () => {
    const identity = identityOf(native, 3);
    const staticPublicKey = new Uint8Array(identity.noiseStatic.publicKey);
    const binding = new Uint8Array(identity.binding);
    const peer = verifyBinding(native, staticPublicKey, binding);
    staticPublicKey.fill(0);
    binding.fill(0);
    expect(toHex(peer.signingPublicKey)).toBe(toHex(identity.signing.publicKey));
    expect(toHex(peer.staticPublicKey)).toBe(toHex(identity.noiseStatic.publicKey));
  });
});

describe('a binding cache', () => {
  test('remembers only what verified', () => {
    const cache = createBindingCache(10);
    const { noiseStatic, binding } = identityOf(native, 3);
    const forged = flipped(binding, 40);
    for (let i = 0; i < 2; i++) {
      expect(codeOf(() => verifyBinding(native, noiseStatic.publicKey, forged, cache))).toBe('HANDSHAKE_FAILED');
    }
    verifyBinding(native, noiseStatic.publicKey, binding, cache);
    const noVerify = { ...native, verify: () => false };
    expect(verifyBinding(noVerify, noiseStatic.publicKey, binding, cache).fingerprint).toMatch(/^SHA256:/);
    for (const at of [0, 40, 95]) {
      const changed = flipped(binding, at);
      expect(codeOf(() => verifyBinding(noVerify, noiseStatic.publicKey, changed, cache))).toBe('HANDSHAKE_FAILED');
    }
    const otherStatic = flipped(noiseStatic.publicKey, 5);
    expect(codeOf(() => verifyBinding(noVerify, otherStatic, binding, cache))).toBe('HANDSHAKE_FAILED');
  });

  test('forgets the one unused for longest when it is full', () => {
    const cache = createBindingCache(2);
    cache.add('a');
    cache.add('b');
    expect(cache.has('a')).toBe(true);
    cache.add('c');
    expect(['a', 'b', 'c'].map((key) => cache.has(key))).toEqual([true, false, true]);
  });
});

describe('a fingerprint', () => {
  test('is the SHA-256 of the signing key as ssh writes it', () => {
    expect(fingerprintOf(native, new Uint8Array(32))).toBe('SHA256:Zmh6rfhivXdsj8GLjp+OIAiXFIVu4jOzkCpZHQ1fKSU');
    expect(fingerprintOf(portable, new Uint8Array(32))).toBe(fingerprintOf(native, new Uint8Array(32)));
  });

  test('is recognised, and nothing else is', () => {
    fc.assert(fc.property(seed, (key) => isFingerprint(fingerprintOf(native, key))));
    const right = fingerprintOf(native, new Uint8Array(32));
    for (const wrong of [
      '',
      right.slice(7),
      `${right}=`,
      `${right} `,
      `${right}\n`,
      right.slice(0, -1),
      right.toLowerCase(),
    ]) {
      expect(isFingerprint(wrong)).toBe(false);
    }
    // The last character carries four bits of hash and two that are always zero.
    expect(isFingerprint(`${right.slice(0, -1)}V`)).toBe(false);
  });
});

describe('a key file', () => {
  const seeds: IdentitySeeds = { signingSeed: new Uint8Array(32).fill(1), staticSecret: new Uint8Array(32).fill(0xff) };

  test('gives back the seeds, with either kind of line end', () => {
    fc.assert(
      fc.property(seed, seed, (signingSeed, staticSecret) => {
        const text = encodeIdentityFile({ signingSeed, staticSecret });
        expect(decodeIdentityFile(text)).toEqual({ signingSeed, staticSecret });
        expect(decodeIdentityFile(text.replaceAll('\n', '\r\n'))).toEqual({ signingSeed, staticSecret });
      }),
    );
  });

  test('says in its first line what it is', () => {
    expect(encodeIdentityFile(seeds).split('\n')[0]).toMatch(/^bcast identity v1 .*SECRET/);
  });

  test('is refused when any of it is missing, damaged or added', () => {
    const text = encodeIdentityFile(seeds);
    const lines = text.trimEnd().split('\n');
    const damaged = [
      '',
      'hello',
      lines.slice(0, 2).join('\n'),
      [...lines, 'more'].join('\n'),
      [lines[0], lines[2], lines[1]].join('\n'),
      text.replace('v1', 'v2'),
      text.replace('AQ', 'A!'),
      text.replace(/=\n/, '\n'),
      text.replace('AQEBAQEBAQ', 'AQEBAQEB'),
      text.replace('=', 'A='),
      ` ${text}`,
    ];
    for (const wrong of damaged) expect([wrong, codeOf(() => decodeIdentityFile(wrong))]).toEqual([wrong, 'CONFIG']);
  });

  test('never lets its secrets into an error', () => {
    const text = encodeIdentityFile(seeds).replace('v1', 'v9');
    try {
      decodeIdentityFile(text);
    } catch (error) {
      expect(String((error as Error).stack)).not.toContain('AQEBAQ');
    }
    expect.assertions(1);
  });

  test('makes an identity that works', () => {
    const generated = generateIdentitySeeds(native);
    const identity = importIdentity(native, decodeIdentityFile(encodeIdentityFile(generated)));
    expect(identity.fingerprint).toBe(importIdentity(native, generated).fingerprint);
  });
});
