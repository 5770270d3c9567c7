import { invariant } from '../../errors.ts';
import { type RecordCipher, TAG_BYTES } from '../crypto/port.ts';

const NO_AD = new Uint8Array(0);

/** Noise §5.1: a key and a nonce, or no key yet. Throws what the cipher throws: BAD_FRAME on a forgery. */
export class CipherState {
  #cipher: RecordCipher | undefined;
  #nonce = 0;

  constructor(cipher?: RecordCipher) {
    this.#cipher = cipher;
  }

  /** The nonce of the next message: how many were sealed or opened so far. */
  get nonce(): number {
    return this.#nonce;
  }

  initializeKey(cipher: RecordCipher): void {
    this.#cipher?.destroy();
    this.#cipher = cipher;
    this.#nonce = 0;
  }

  hasKey(): boolean {
    return this.#cipher !== undefined;
  }

  setNonce(nonce: number): void {
    this.#nonce = nonce;
  }

  /** Without a key, returns `plaintext` itself. */
  encryptWithAd(ad: Uint8Array, plaintext: Uint8Array): Uint8Array {
    if (this.#cipher === undefined) return plaintext;
    const ciphertext = new Uint8Array(plaintext.length + TAG_BYTES);
    this.#cipher.sealInto(this.#nonce, ad, [plaintext], ciphertext, 0);
    this.#nonce += 1;
    return ciphertext;
  }

  /** Without a key, returns `ciphertext` itself. May overwrite `ciphertext`. The nonce stays when it throws. */
  decryptWithAd(ad: Uint8Array, ciphertext: Uint8Array): Uint8Array {
    if (this.#cipher === undefined) return ciphertext;
    const plaintext = this.#cipher.open(this.#nonce, ad, ciphertext);
    this.#nonce += 1;
    return plaintext;
  }

  /** EncryptWithAd for records: no data, memory that is there, and never without a key. Returns the bytes written. */
  sealInto(plaintext: readonly Uint8Array[], out: Uint8Array, outOffset: number): number {
    invariant(this.#cipher !== undefined, 'a record is sealed with a key');
    const written = this.#cipher.sealInto(this.#nonce, NO_AD, plaintext, out, outOffset);
    this.#nonce += 1;
    return written;
  }

  /** DecryptWithAd for records: no data, and never without a key. May overwrite `sealed`. */
  open(sealed: Uint8Array): Uint8Array {
    invariant(this.#cipher !== undefined, 'a record is opened with a key');
    const plaintext = this.#cipher.open(this.#nonce, NO_AD, sealed);
    this.#nonce += 1;
    return plaintext;
  }

  rekey(): void {
    this.#cipher?.rekey();
  }

  /** Forgets the key. */
  destroy(): void {
    this.#cipher?.destroy();
    this.#cipher = undefined;
  }
}
