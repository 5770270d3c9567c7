import nacl from 'tweetnacl';
import { BcastError, invariant } from '../../errors.ts';
import { concatBytes } from '../bytes.ts';
import { hasCanonicalScalar, hasSmallOrder } from './ed25519.ts';
import { writeCounter, writeRekeyCounter } from './nonce.ts';
import { type DhKeyPair, type RecordCipher, type SigningKeyPair, TAG_BYTES } from './port.ts';

/**
 * The only door to tweetnacl. Used whole by the portable provider, and for secretbox alone by the native one where
 * sodium-native is not installed.
 */

class NaclDhPair implements DhKeyPair {
  readonly publicKey: Uint8Array;
  readonly secret: Uint8Array;

  constructor(secret: Uint8Array) {
    this.secret = Uint8Array.from(secret);
    this.publicKey = nacl.scalarMult.base(this.secret);
  }
}

class NaclSigningPair implements SigningKeyPair {
  readonly publicKey: Uint8Array;
  readonly secret: Uint8Array;

  constructor(seed: Uint8Array) {
    const pair = nacl.sign.keyPair.fromSeed(Uint8Array.from(seed));
    this.publicKey = pair.publicKey;
    this.secret = pair.secretKey;
  }
}

export function naclImportDh(secret: Uint8Array): DhKeyPair {
  return new NaclDhPair(secret);
}

export function naclDh(pair: DhKeyPair, publicKey: Uint8Array): Uint8Array {
  invariant(pair instanceof NaclDhPair, 'a key pair is used by the provider that made it');
  const shared = nacl.scalarMult(pair.secret, publicKey);
  if (shared.every((byte) => byte === 0)) {
    throw new BcastError('HANDSHAKE_FAILED', { cause: new Error('X25519 with a point of low order') });
  }
  return shared;
}

export function naclImportSigning(seed: Uint8Array): SigningKeyPair {
  return new NaclSigningPair(seed);
}

export function naclSign(pair: SigningKeyPair, message: Uint8Array): Uint8Array {
  invariant(pair instanceof NaclSigningPair, 'a key pair is used by the provider that made it');
  return nacl.sign.detached(message, pair.secret);
}

export function naclVerify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  // tweetnacl checks neither.
  if (!hasCanonicalScalar(signature) || hasSmallOrder(publicKey)) return false;
  return nacl.sign.detached.verify(message, signature, publicKey);
}

class NaclSecretbox implements RecordCipher {
  readonly #key: Uint8Array;
  readonly #nonce = new Uint8Array(nacl.secretbox.nonceLength);

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
    invariant(ad.length === 0, 'secretbox knows no associated data');
    writeCounter(this.#nonce, 16, counter);
    const sealed = nacl.secretbox(concatBytes(plaintext), this.#nonce, this.#key);
    out.set(sealed, outOffset);
    return sealed.length;
  }

  open(counter: number, ad: Uint8Array, sealed: Uint8Array): Uint8Array {
    invariant(ad.length === 0, 'secretbox knows no associated data');
    writeCounter(this.#nonce, 16, counter);
    const plaintext = nacl.secretbox.open(sealed, this.#nonce, this.#key);
    if (plaintext === null) throw new BcastError('BAD_FRAME', { cause: new Error('secretbox does not verify') });
    return plaintext;
  }

  rekey(): void {
    writeRekeyCounter(this.#nonce, 16);
    const next = nacl.secretbox(new Uint8Array(32), this.#nonce, this.#key);
    this.#key.set(next.subarray(TAG_BYTES));
    next.fill(0);
  }

  destroy(): void {
    this.#key.fill(0);
  }
}

/** Secretbox as the port has it. */
export function naclSecretbox(key: Uint8Array): RecordCipher {
  return new NaclSecretbox(key);
}
