import { gcm } from '@noble/ciphers/aes.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { BcastError, invariant } from '../../errors.ts';
import { concatBytes } from '../bytes.ts';
import { hmacOver } from './hmac.ts';
import { naclDh, naclImportDh, naclImportSigning, naclSecretbox, naclSign, naclVerify } from './nacl.ts';
import { writeCounter, writeRekeyCounter } from './nonce.ts';
import { type CryptoProvider, type Kem, type KemKeyPair, type RecordCipher, TAG_BYTES } from './port.ts';

/** The provider for anywhere: plain JavaScript. The only door to @noble. */
export function createPortableCrypto(): CryptoProvider {
  return {
    name: 'portable',
    generateDh: () => naclImportDh(randomBytes(32)),
    importDh: naclImportDh,
    dh: naclDh,
    kem,
    importSigning: naclImportSigning,
    sign: naclSign,
    verify: naclVerify,
    sha256: sha256Of,
    hmacSha256: (key, ...parts) => hmacOver(sha256, key, parts),
    aesGcm: (key) => new NobleAesGcm(key),
    secretbox: naclSecretbox,
    randomBytes,
  };
}

class NobleKemPair implements KemKeyPair {
  readonly publicKey: Uint8Array;
  readonly secret: Uint8Array;

  constructor(seed: Uint8Array) {
    const pair = ml_kem768.keygen(Uint8Array.from(seed));
    this.publicKey = pair.publicKey;
    this.secret = pair.secretKey;
  }
}

const kem: Kem = {
  generate: () => new NobleKemPair(randomBytes(64)),
  importSeed: (seed) => new NobleKemPair(seed),
  encapsulate(publicKey) {
    try {
      const { cipherText, sharedSecret } = ml_kem768.encapsulate(Uint8Array.from(publicKey));
      return { ciphertext: cipherText, sharedSecret };
    } catch (cause) {
      throw new BcastError('HANDSHAKE_FAILED', { cause });
    }
  },
  decapsulate(pair, ciphertext) {
    invariant(pair instanceof NobleKemPair, 'a key pair is used by the provider that made it');
    return ml_kem768.decapsulate(Uint8Array.from(ciphertext), pair.secret);
  },
};

const NO_AD = new Uint8Array(0);

class NobleAesGcm implements RecordCipher {
  readonly #key: Uint8Array;
  readonly #nonce = new Uint8Array(12);

  constructor(key: Uint8Array) {
    this.#key = Uint8Array.from(key);
  }

  sealInto(
    counter: number,
    ad: Uint8Array,
    plaintext: readonly Uint8Array[],
    out: Uint8Array,
    outOffset: number,
  ): number {
    writeCounter(this.#nonce, 4, counter);
    const sealed = gcm(this.#key, this.#nonce, ad).encrypt(concatBytes(plaintext));
    out.set(sealed, outOffset);
    return sealed.length;
  }

  open(counter: number, ad: Uint8Array, sealed: Uint8Array): Uint8Array {
    writeCounter(this.#nonce, 4, counter);
    try {
      return gcm(this.#key, this.#nonce, ad).decrypt(sealed);
    } catch (cause) {
      throw new BcastError('BAD_FRAME', { cause });
    }
  }

  rekey(): void {
    writeRekeyCounter(this.#nonce, 4);
    const next = gcm(this.#key, this.#nonce, NO_AD).encrypt(new Uint8Array(32));
    this.#key.set(next.subarray(0, next.length - TAG_BYTES));
    next.fill(0);
  }

  destroy(): void {
    this.#key.fill(0);
  }
}

function sha256Of(...parts: readonly Uint8Array[]): Uint8Array {
  const digest = sha256.create();
  for (const part of parts) digest.update(part);
  return digest.digest();
}

function randomBytes(count: number): Uint8Array {
  return globalThis.crypto.getRandomValues(new Uint8Array(count));
}
