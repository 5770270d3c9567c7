import { createPrivateKey, createPublicKey } from 'node:crypto';
import fc from 'fast-check';
import nacl from 'tweetnacl';
import { describe, expect, test } from 'vitest';
import { hasSmallOrder } from '../../../lib/wire/crypto/ed25519.ts';
import { createNativeCrypto } from '../../../lib/wire/crypto/native.ts';
import { MAX_COUNTER } from '../../../lib/wire/crypto/nonce.ts';
import { type CryptoProvider, TAG_BYTES } from '../../../lib/wire/crypto/port.ts';
import { createPortableCrypto } from '../../../lib/wire/crypto/portable.ts';
import { loadSodium } from '../../../lib/wire/crypto/sodium.ts';
import { codeOf } from '../thrown.ts';

const NO_AD = new Uint8Array(0);
const CIPHERS = ['aesGcm', 'secretbox'] as const;

const providers: readonly (readonly [string, CryptoProvider])[] = [
  ['native', createNativeCrypto()],
  ['native without sodium', createNativeCrypto({ sodium: 'off' })],
  ['native on an earlier Node', createNativeCrypto({ sodium: 'off', keys: 'der' })],
  ['portable', createPortableCrypto()],
];

const pairs = providers.flatMap(([nameA, a]) =>
  providers.filter(([nameB]) => nameA !== nameB).map(([nameB, b]) => [nameA, nameB, a, b] as const),
);

/** The canonical points of small order of curve25519 and some non-canonical forms (RFC 7748 §6.1 and its errata). */
const LOW_ORDER_POINTS = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
];

const SMALL_ORDER_KEYS = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0100000000000000000000000000000000000000000000000000000000000080',
];

/** R = s*B and S = s: under a public key of small order it holds for every message, or for one in eight at least. */
const SIGNATURE_FOR_SMALL_ORDER = hex(
  '6e7a1cdd29b0b78fd13af4c5598feff4ef2a97166e3ca6f2e4fbfccd80505bf1' +
    'ba3f4a33a88b238cbb217a565f9c231d6c2834c509e08e14efcb2b52188f940e',
);

test('sodium-native is installed where these tests run', () => {
  expect(loadSodium()).toBeDefined();
});

describe.each(providers)('%s', (_name, crypto) => {
  test('agrees on X25519 with RFC 7748', () => {
    const alice = crypto.importDh(hex('77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a'));
    const bob = crypto.importDh(hex('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb'));
    expect(text(alice.publicKey)).toBe('8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a');
    expect(text(crypto.dh(alice, bob.publicKey))).toBe(
      '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742',
    );
  });

  test('makes a fresh pair every time', () => {
    const a = crypto.generateDh();
    const b = crypto.generateDh();
    expect(text(a.publicKey)).not.toBe(text(b.publicKey));
    expect(crypto.dh(a, b.publicKey)).toEqual(crypto.dh(b, a.publicKey));
  });

  test.each(LOW_ORDER_POINTS)('refuses a Diffie-Hellman with the point of low order %s', (point) => {
    expect(codeOf(() => crypto.dh(crypto.generateDh(), hex(point)))).toBe('HANDSHAKE_FAILED');
  });

  test('signs as RFC 8032 has it', () => {
    const pair = crypto.importSigning(hex('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb'));
    expect(text(pair.publicKey)).toBe('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c');
    expect(text(crypto.sign(pair, hex('72')))).toBe(
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da' +
        '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    );
  });

  test('verifies a signature and no changed one', () => {
    const pair = crypto.importSigning(new Uint8Array(32).fill(7));
    const message = hex('0102030405');
    const signature = crypto.sign(pair, message);
    expect(crypto.verify(pair.publicKey, message, signature)).toBe(true);
    for (const at of [0, 31, 32, 63])
      expect(crypto.verify(pair.publicKey, message, flipped(signature, at))).toBe(false);
    expect(crypto.verify(pair.publicKey, flipped(message, 0), signature)).toBe(false);
    expect(crypto.verify(flipped(pair.publicKey, 0), message, signature)).toBe(false);
  });

  test('refuses a signature whose scalar is not below the group order', () => {
    const pair = crypto.importSigning(new Uint8Array(32).fill(7));
    const message = hex('0102030405');
    expect(crypto.verify(pair.publicKey, message, plusGroupOrder(crypto.sign(pair, message)))).toBe(false);
  });

  test.each(SMALL_ORDER_KEYS)('refuses the signing key of small order %s', (key) => {
    for (let i = 0; i < 64; i++) {
      expect(crypto.verify(hex(key), Uint8Array.of(i), SIGNATURE_FOR_SMALL_ORDER)).toBe(false);
    }
  });

  test('encapsulates a secret that the pair decapsulates', () => {
    const pair = crypto.kem.generate();
    const { ciphertext, sharedSecret } = crypto.kem.encapsulate(pair.publicKey);
    expect(pair.publicKey).toHaveLength(1184);
    expect(ciphertext).toHaveLength(1088);
    expect(bytes(crypto.kem.decapsulate(pair, ciphertext))).toEqual(bytes(sharedSecret));
    expect(bytes(crypto.kem.decapsulate(pair, flipped(ciphertext, 9)))).not.toEqual(bytes(sharedSecret));
  });

  test('refuses an encapsulation key that is not one', () => {
    expect(codeOf(() => crypto.kem.encapsulate(new Uint8Array(1184).fill(0xff)))).toBe('HANDSHAKE_FAILED');
    expect(codeOf(() => crypto.kem.encapsulate(new Uint8Array(1183)))).toBe('HANDSHAKE_FAILED');
  });

  test('hashes as FIPS 180-4 has it, however the input is cut', () => {
    expect(text(crypto.sha256(hex('616263')))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    expect(text(crypto.sha256())).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    for (const length of [55, 56, 64, 255, 256, 257, 1200]) {
      const whole = crypto.sha256(new Uint8Array(length).fill(5));
      expect(crypto.sha256(new Uint8Array(length - 33).fill(5), new Uint8Array(33).fill(5))).toEqual(whole);
    }
  });

  test('computes the HMAC of RFC 4231', () => {
    expect(text(crypto.hmacSha256(hex('4a656665'), ascii('what do ya want '), ascii('for nothing?')))).toBe(
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    );
    // Test case 1 has a key shorter and test case 4 a message longer than a block is after the key.
    expect(text(crypto.hmacSha256(new Uint8Array(20).fill(0x0b), ascii('Hi There')))).toBe(
      'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
    );
    const counting = Uint8Array.from({ length: 25 }, (_, i) => i + 1);
    expect(text(crypto.hmacSha256(counting, new Uint8Array(50).fill(0xcd)))).toBe(
      '82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b',
    );
    expect(codeOf(() => crypto.hmacSha256(new Uint8Array(65), NO_AD))).toBe('INTERNAL');
    expect(codeOf(() => crypto.hmacSha256(NO_AD, new Uint8Array(193)))).toBe('INTERNAL');
  });

  test('gives as many random bytes as asked, never the same', () => {
    expect(crypto.randomBytes(16)).toHaveLength(16);
    expect(text(crypto.randomBytes(16))).not.toBe(text(crypto.randomBytes(16)));
  });

  describe.each(CIPHERS)('%s', (cipher) => {
    const key = new Uint8Array(32).fill(3);

    test('opens what it sealed, from one part or several, at any offset', () => {
      const message = hex('00112233445566778899');
      const sealed = new Uint8Array(message.length + TAG_BYTES);
      expect(crypto[cipher](key).sealInto(5, NO_AD, [message], sealed, 0)).toBe(sealed.length);
      const shifted = new Uint8Array(sealed.length + 9).fill(0xaa);
      const parts = [message.subarray(0, 3), message.subarray(3, 3), message.subarray(3)];
      expect(crypto[cipher](key).sealInto(5, NO_AD, parts, shifted, 4)).toBe(sealed.length);
      expect(shifted).toEqual(
        Uint8Array.from([...[0xaa, 0xaa, 0xaa, 0xaa], ...sealed, ...new Uint8Array(5).fill(0xaa)]),
      );
      expect(bytes(crypto[cipher](key).open(5, NO_AD, sealed))).toEqual(bytes(message));
    });

    test('seals nothing at all', () => {
      const sealed = new Uint8Array(TAG_BYTES);
      expect(crypto[cipher](key).sealInto(0, NO_AD, [], sealed, 0)).toBe(TAG_BYTES);
      expect(crypto[cipher](key).open(0, NO_AD, sealed)).toHaveLength(0);
    });

    test('refuses any changed bit, another counter, another key and too little', () => {
      const sealed = sealedBy(crypto, cipher, key, 1, hex('0102030405060708'));
      for (let at = 0; at < sealed.length; at++) {
        expect(codeOf(() => crypto[cipher](key).open(1, NO_AD, flipped(sealed, at)))).toBe('BAD_FRAME');
      }
      expect(codeOf(() => crypto[cipher](key).open(2, NO_AD, sealed.slice()))).toBe('BAD_FRAME');
      expect(codeOf(() => crypto[cipher](flipped(key, 0)).open(1, NO_AD, sealed.slice()))).toBe('BAD_FRAME');
      expect(codeOf(() => crypto[cipher](key).open(1, NO_AD, sealed.slice(0, 15)))).toBe('BAD_FRAME');
      expect(codeOf(() => crypto[cipher](key).open(1, NO_AD, NO_AD))).toBe('BAD_FRAME');
    });

    test('leaves a forged record untouched but for what it verified', () => {
      const sealed = flipped(sealedBy(crypto, cipher, key, 1, hex('0102030405060708')), 20);
      const before = sealed.slice();
      expect(codeOf(() => crypto[cipher](key).open(1, NO_AD, sealed))).toBe('BAD_FRAME');
      expect(sealed).toEqual(before);
    });

    test('works at the last counter and refuses the one after', () => {
      const message = hex('0102');
      const sealed = sealedBy(crypto, cipher, key, MAX_COUNTER, message);
      expect(bytes(crypto[cipher](key).open(MAX_COUNTER, NO_AD, sealed))).toEqual(bytes(message));
      const out = new Uint8Array(64);
      expect(codeOf(() => crypto[cipher](key).sealInto(MAX_COUNTER + 1, NO_AD, [message], out, 0))).toBe('INTERNAL');
      expect(codeOf(() => crypto[cipher](key).open(MAX_COUNTER + 1, NO_AD, sealed))).toBe('INTERNAL');
      expect(codeOf(() => crypto[cipher](key).sealInto(-1, NO_AD, [message], out, 0))).toBe('INTERNAL');
    });

    test('moves to another key with rekey, the same at both ends', () => {
      const a = crypto[cipher](key);
      const b = crypto[cipher](key);
      const before = sealedBy(crypto, cipher, key, 3, hex('aabb'));
      a.rekey();
      b.rekey();
      const sealed = new Uint8Array(2 + TAG_BYTES);
      a.sealInto(3, NO_AD, [hex('aabb')], sealed, 0);
      expect(text(sealed)).not.toBe(text(before));
      expect(bytes(b.open(3, NO_AD, sealed))).toEqual([0xaa, 0xbb]);
      expect(codeOf(() => crypto[cipher](key).open(3, NO_AD, sealed.slice()))).toBe('BAD_FRAME');
    });

    test('seals under its key no more once destroyed', () => {
      const destroyed = crypto[cipher](key);
      destroyed.destroy();
      const sealed = new Uint8Array(2 + TAG_BYTES);
      destroyed.sealInto(0, NO_AD, [hex('aabb')], sealed, 0);
      expect(codeOf(() => crypto[cipher](key).open(0, NO_AD, sealed))).toBe('BAD_FRAME');
    });

    test('keeps its key when the caller wipes its own', () => {
      const mine = key.slice();
      const sealer = crypto[cipher](mine);
      mine.fill(0);
      const sealed = new Uint8Array(1 + TAG_BYTES);
      sealer.sealInto(0, NO_AD, [hex('aa')], sealed, 0);
      expect(bytes(crypto[cipher](key).open(0, NO_AD, sealed))).toEqual([0xaa]);
    });
  });

  test('binds associated data with AES-GCM and knows none with secretbox', () => {
    const key = new Uint8Array(32);
    const sealed = new Uint8Array(18);
    crypto.aesGcm(key).sealInto(0, hex('01'), [hex('aabb')], sealed, 0);
    expect(bytes(crypto.aesGcm(key).open(0, hex('01'), sealed.slice()))).toEqual([0xaa, 0xbb]);
    expect(codeOf(() => crypto.aesGcm(key).open(0, hex('02'), sealed.slice()))).toBe('BAD_FRAME');
    expect(codeOf(() => crypto.aesGcm(key).open(0, NO_AD, sealed.slice()))).toBe('BAD_FRAME');
    expect(codeOf(() => crypto.secretbox(key).sealInto(0, hex('01'), [], sealed, 0))).toBe('INTERNAL');
    expect(codeOf(() => crypto.secretbox(key).open(0, hex('01'), sealed))).toBe('INTERNAL');
  });
});

describe.each(pairs)('%s and %s', (_a, _b, a, b) => {
  test('know the same keys by the same seeds', () => {
    const seed = new Uint8Array(64).map((_, i) => i);
    expect(bytes(a.importDh(seed.subarray(32)).publicKey)).toEqual(bytes(b.importDh(seed.subarray(32)).publicKey));
    expect(bytes(a.importSigning(seed.subarray(0, 32)).publicKey)).toEqual(
      bytes(b.importSigning(seed.subarray(0, 32)).publicKey),
    );
    expect(bytes(a.kem.importSeed(seed).publicKey)).toEqual(bytes(b.kem.importSeed(seed).publicKey));
  });

  test('understand each other', () => {
    const pairA = a.generateDh();
    const pairB = b.generateDh();
    expect(bytes(a.dh(pairA, pairB.publicKey))).toEqual(bytes(b.dh(pairB, pairA.publicKey)));
    const signing = a.importSigning(a.randomBytes(32));
    expect(b.verify(signing.publicKey, hex('01'), a.sign(signing, hex('01')))).toBe(true);
    const kemPair = b.kem.generate();
    const { ciphertext, sharedSecret } = a.kem.encapsulate(kemPair.publicKey);
    expect(bytes(b.kem.decapsulate(kemPair, ciphertext))).toEqual(bytes(sharedSecret));
  });

  test('refuse each other’s pairs instead of misusing them', () => {
    if (a.importDh(new Uint8Array(32).fill(9)).constructor === b.importDh(new Uint8Array(32).fill(9)).constructor)
      return;
    expect(codeOf(() => a.dh(b.generateDh(), b.generateDh().publicKey))).toBe('INTERNAL');
    expect(codeOf(() => a.sign(b.importSigning(new Uint8Array(32)), NO_AD))).toBe('INTERNAL');
  });

  test.each(CIPHERS)('open what the other sealed with %s, before and after a rekey', (cipher) => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.maxSafeNat(),
        fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 4 }),
        fc.nat(2),
        (key, counter, parts, rekeys) => {
          const sealer = a[cipher](key);
          const opener = b[cipher](key);
          for (let i = 0; i < rekeys; i++) {
            sealer.rekey();
            opener.rekey();
          }
          const message = parts.flatMap((part) => [...part]);
          const sealed = new Uint8Array(message.length + TAG_BYTES);
          sealer.sealInto(counter, NO_AD, parts, sealed, 0);
          expect(bytes(opener.open(counter, NO_AD, sealed))).toEqual(message);
        },
      ),
      { numRuns: 50 },
    );
  });
});

test('the check for small order is needed: tweetnacl alone accepts a signature by such a key', () => {
  const neutral = hex('0100000000000000000000000000000000000000000000000000000000000000');
  expect(nacl.sign.detached.verify(hex('aa'), SIGNATURE_FOR_SMALL_ORDER, neutral)).toBe(true);
  expect(hasSmallOrder(neutral)).toBe(true);
  expect(hasSmallOrder(createNativeCrypto().importSigning(neutral).publicKey)).toBe(false);
});

test('native works on a KeyObject from a seed that node:crypto can read back', () => {
  const seed = Buffer.from(new Uint8Array(32).fill(1));
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b656e04220420', 'hex'), seed]);
  const key = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
  expect(bytes(createNativeCrypto().importDh(seed).publicKey)).toEqual(bytes(spki.subarray(-32)));
});

function sealedBy(
  crypto: CryptoProvider,
  cipher: (typeof CIPHERS)[number],
  key: Uint8Array,
  counter: number,
  message: Uint8Array,
): Uint8Array {
  const out = new Uint8Array(message.length + TAG_BYTES);
  crypto[cipher](key).sealInto(counter, NO_AD, [message], out, 0);
  return out;
}

/** S + L: the same signature to a verifier that does not check. */
function plusGroupOrder(signature: Uint8Array): Uint8Array {
  const order = hex('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010');
  const out = Uint8Array.from(signature);
  let carry = 0;
  for (let i = 0; i < 32; i++) {
    const sum = (out[32 + i] ?? 0) + (order[i] ?? 0) + carry;
    out[32 + i] = sum;
    carry = sum >> 8;
  }
  return out;
}

function flipped(input: Uint8Array, at: number): Uint8Array {
  const out = Uint8Array.from(input);
  out[at] = (out[at] ?? 0) ^ 1;
  return out;
}

function hex(digits: string): Uint8Array {
  return Uint8Array.from(Buffer.from(digits.replaceAll(/[ _]/g, ''), 'hex'));
}

function ascii(words: string): Uint8Array {
  return Uint8Array.from(Buffer.from(words, 'latin1'));
}

function text(input: Uint8Array): string {
  return Buffer.from(input).toString('hex');
}

function bytes(input: Uint8Array): number[] {
  return [...input];
}
