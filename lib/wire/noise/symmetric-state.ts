import { asciiBytes } from '../bytes.ts';
import type { CryptoProvider, RecordCipher } from '../crypto/port.ts';
import { CipherState } from './cipher-state.ts';

const HASH_BYTES = 32;

const NOTHING = new Uint8Array(0);
const ONE = Uint8Array.of(1);
const TWO = Uint8Array.of(2);

/** Noise §5.2: the chaining key, the transcript's hash and the cipher of the handshake (AES-256-GCM, SHA-256). */
export class SymmetricState {
  readonly #crypto: CryptoProvider;
  readonly #cipherState = new CipherState();
  #chainingKey: Uint8Array;
  #hash: Uint8Array;

  constructor(crypto: CryptoProvider, protocolName: string) {
    this.#crypto = crypto;
    const name = asciiBytes(protocolName);
    this.#hash = name.length <= HASH_BYTES ? padded(name) : crypto.sha256(name);
    this.#chainingKey = new Uint8Array(this.#hash);
  }

  mixKey(inputKeyMaterial: Uint8Array): void {
    const [chainingKey, key] = this.#hkdf(inputKeyMaterial);
    this.#chainingKey = chainingKey;
    this.#cipherState.initializeKey(this.#crypto.aesGcm(key));
    key.fill(0);
  }

  mixHash(data: Uint8Array): void {
    this.#hash = this.#crypto.sha256(this.#hash, data);
  }

  hasKey(): boolean {
    return this.#cipherState.hasKey();
  }

  getHandshakeHash(): Uint8Array {
    return new Uint8Array(this.#hash);
  }

  encryptAndHash(plaintext: Uint8Array): Uint8Array {
    const ciphertext = this.#cipherState.encryptWithAd(this.#hash, plaintext);
    this.mixHash(ciphertext);
    return ciphertext;
  }

  /** May overwrite `ciphertext`. */
  decryptAndHash(ciphertext: Uint8Array): Uint8Array {
    // Hashed first, as opening may be done in place.
    const hash = this.#crypto.sha256(this.#hash, ciphertext);
    const plaintext = this.#cipherState.decryptWithAd(this.#hash, ciphertext);
    this.#hash = hash;
    return plaintext;
  }

  /** Two ciphers made by `newCipher`: the initiator's for sending, then the responder's. This state is done with then. */
  split(newCipher: (key: Uint8Array) => RecordCipher): [CipherState, CipherState] {
    const [first, second] = this.#hkdf(NOTHING);
    const ciphers: [CipherState, CipherState] = [new CipherState(newCipher(first)), new CipherState(newCipher(second))];
    first.fill(0);
    second.fill(0);
    this.destroy();
    return ciphers;
  }

  destroy(): void {
    this.#cipherState.destroy();
    this.#chainingKey.fill(0);
  }

  /** Noise §4.3, two outputs. */
  #hkdf(inputKeyMaterial: Uint8Array): [Uint8Array, Uint8Array] {
    const temporary = this.#crypto.hmacSha256(this.#chainingKey, inputKeyMaterial);
    const first = this.#crypto.hmacSha256(temporary, ONE);
    const second = this.#crypto.hmacSha256(temporary, first, TWO);
    temporary.fill(0);
    return [first, second];
  }
}

function padded(name: Uint8Array): Uint8Array {
  const hash = new Uint8Array(HASH_BYTES);
  hash.set(name);
  return hash;
}
