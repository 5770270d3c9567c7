import { createRequire } from 'node:module';
import { BcastError, invariant } from '../../errors.ts';
import { gatherAt } from '../bytes.ts';
import { writeCounter, writeRekeyCounter } from './nonce.ts';
import { type DhKeyPair, type RecordCipher, type SigningKeyPair, TAG_BYTES } from './port.ts';

/** The part of sodium-native used here (it ships no types); every function writes into memory that is given to it. */
interface SodiumBinding {
  crypto_scalarmult_base(publicKey: Uint8Array, secret: Uint8Array): void;
  crypto_scalarmult(shared: Uint8Array, secret: Uint8Array, publicKey: Uint8Array): void;
  crypto_sign_seed_keypair(publicKey: Uint8Array, secret: Uint8Array, seed: Uint8Array): void;
  crypto_sign_detached(signature: Uint8Array, message: Uint8Array, secret: Uint8Array): void;
  crypto_sign_verify_detached(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean;
  crypto_hash_sha256(digest: Uint8Array, message: Uint8Array): void;
  crypto_secretbox_easy(sealed: Uint8Array, message: Uint8Array, nonce: Uint8Array, key: Uint8Array): void;
  crypto_secretbox_open_easy(message: Uint8Array, sealed: Uint8Array, nonce: Uint8Array, key: Uint8Array): boolean;
  randombytes_buf(out: Uint8Array): void;
}

/** What of the port sodium-native does, and does faster than node:crypto. */
export interface Sodium {
  generateDh(): DhKeyPair;
  importDh(secret: Uint8Array): DhKeyPair;
  dh(pair: DhKeyPair, publicKey: Uint8Array): Uint8Array;
  importSigning(seed: Uint8Array): SigningKeyPair;
  sign(pair: SigningKeyPair, message: Uint8Array): Uint8Array;
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
  sha256(message: Uint8Array): Uint8Array;
  secretbox(key: Uint8Array): RecordCipher;
}

/** The only door to sodium-native: an optional dependency, so undefined where it is not installed or does not load. */
export function loadSodium(): Sodium | undefined {
  try {
    return sodiumOver(createRequire(import.meta.url)('sodium-native') as SodiumBinding);
  } catch {
    return undefined;
  }
}

class SodiumDhPair implements DhKeyPair {
  readonly publicKey = Buffer.alloc(32);
  readonly secret: Uint8Array;

  constructor(binding: SodiumBinding, secret: Uint8Array) {
    this.secret = secret;
    binding.crypto_scalarmult_base(this.publicKey, secret);
  }
}

class SodiumSigningPair implements SigningKeyPair {
  readonly publicKey = Buffer.alloc(32);
  readonly secret = Buffer.alloc(64);

  constructor(binding: SodiumBinding, seed: Uint8Array) {
    binding.crypto_sign_seed_keypair(this.publicKey, this.secret, seed);
  }
}

function sodiumOver(binding: SodiumBinding): Sodium {
  return {
    generateDh() {
      const secret = Buffer.alloc(32);
      binding.randombytes_buf(secret);
      return new SodiumDhPair(binding, secret);
    },
    importDh: (secret) => new SodiumDhPair(binding, Buffer.from(secret)),
    dh(pair, publicKey) {
      invariant(pair instanceof SodiumDhPair, 'a key pair is used by the provider that made it');
      const shared = Buffer.alloc(32);
      try {
        binding.crypto_scalarmult(shared, pair.secret, publicKey);
      } catch (cause) {
        throw new BcastError('HANDSHAKE_FAILED', { cause });
      }
      return shared;
    },
    importSigning: (seed) => new SodiumSigningPair(binding, seed),
    sign(pair, message) {
      invariant(pair instanceof SodiumSigningPair, 'a key pair is used by the provider that made it');
      const signature = Buffer.alloc(64);
      binding.crypto_sign_detached(signature, message, pair.secret);
      return signature;
    },
    verify: (publicKey, message, signature) => binding.crypto_sign_verify_detached(signature, message, publicKey),
    sha256(message) {
      const digest = Buffer.allocUnsafe(32);
      binding.crypto_hash_sha256(digest, message);
      return digest;
    },
    secretbox: (key) => new SodiumSecretbox(binding, key),
  };
}

/** Shared by all: written and used within one synchronous call. */
const nonce = Buffer.alloc(24);

let lastOut: Uint8Array | undefined;
let lastPlace: Uint8Array = nonce;

/** Where in `out` the ciphertext goes. Frame memory is used again and again, so the view of the last call often serves. */
function placeIn(out: Uint8Array, offset: number, bytes: number): Uint8Array {
  const isSame = out === lastOut && lastPlace.byteOffset === out.byteOffset + offset && lastPlace.length === bytes;
  if (!isSame) {
    lastOut = out;
    lastPlace = out.subarray(offset, offset + bytes);
  }
  return lastPlace;
}

class SodiumSecretbox implements RecordCipher {
  readonly #binding: SodiumBinding;
  readonly #key = Buffer.allocUnsafeSlow(32);

  constructor(binding: SodiumBinding, key: Uint8Array) {
    this.#binding = binding;
    this.#key.set(key);
  }

  sealInto(
    counter: number,
    ad: Uint8Array,
    plaintext: readonly Uint8Array[],
    out: Uint8Array,
    outOffset: number,
  ): number {
    invariant(ad.length === 0, 'secretbox knows no associated data');
    writeCounter(nonce, 16, counter);
    // Several parts are put where their ciphertext will stand and sealed in place.
    const message = gatherAt(plaintext, out, outOffset + TAG_BYTES);
    const sealedBytes = message.length + TAG_BYTES;
    this.#binding.crypto_secretbox_easy(placeIn(out, outOffset, sealedBytes), message, nonce, this.#key);
    return sealedBytes;
  }

  open(counter: number, ad: Uint8Array, sealed: Uint8Array): Uint8Array {
    invariant(ad.length === 0, 'secretbox knows no associated data');
    if (sealed.length < TAG_BYTES) throw forged('shorter than its tag');
    writeCounter(nonce, 16, counter);
    // In place: libsodium checks the tag before it writes.
    const message = sealed.subarray(TAG_BYTES);
    if (!this.#binding.crypto_secretbox_open_easy(message, sealed, nonce, this.#key)) throw forged('does not verify');
    return message;
  }

  rekey(): void {
    writeRekeyCounter(nonce, 16);
    const sealed = Buffer.alloc(32 + TAG_BYTES);
    this.#binding.crypto_secretbox_easy(sealed, Buffer.alloc(32), nonce, this.#key);
    this.#key.set(sealed.subarray(TAG_BYTES));
    sealed.fill(0);
  }

  destroy(): void {
    this.#key.fill(0);
  }
}

function forged(reason: string): BcastError {
  return new BcastError('BAD_FRAME', { cause: new Error(`secretbox ${reason}`) });
}
