import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto';
import { BcastError } from '../../errors.ts';
import { gatherAt } from '../bytes.ts';
import { writeCounter, writeRekeyCounter } from './nonce.ts';
import { type RecordCipher, TAG_BYTES } from './port.ts';

const NO_AD = new Uint8Array(0);

/** Shared by all: written and used within one synchronous call. */
const nonce = Buffer.alloc(12);

const options = { authTagLength: TAG_BYTES };

/** AES-256-GCM by node:crypto, as the port has it. The key is held as a KeyObject, which seals four times as fast. */
class NodeAesGcm implements RecordCipher {
  #key: KeyObject;

  constructor(key: Uint8Array) {
    this.#key = createSecretKey(key);
  }

  sealInto(
    counter: number,
    ad: Uint8Array,
    plaintext: readonly Uint8Array[],
    out: Uint8Array,
    outOffset: number,
  ): number {
    writeCounter(nonce, 4, counter);
    return this.#seal(ad, plaintext, out, outOffset);
  }

  #seal(ad: Uint8Array, plaintext: readonly Uint8Array[], out: Uint8Array, outOffset: number): number {
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce, options);
    if (ad.length > 0) cipher.setAAD(ad);
    // One call for all parts: each costs 0.8 us and a buffer.
    const message = gatherAt(plaintext, out, outOffset);
    out.set(cipher.update(message), outOffset);
    cipher.final();
    out.set(cipher.getAuthTag(), outOffset + message.length);
    return message.length + TAG_BYTES;
  }

  open(counter: number, ad: Uint8Array, sealed: Uint8Array): Uint8Array {
    if (sealed.length < TAG_BYTES) throw forged();
    writeCounter(nonce, 4, counter);
    const decipher = createDecipheriv('aes-256-gcm', this.#key, nonce, options);
    const end = sealed.length - TAG_BYTES;
    decipher.setAuthTag(sealed.subarray(end));
    if (ad.length > 0) decipher.setAAD(ad);
    const plaintext = decipher.update(sealed.subarray(0, end));
    try {
      decipher.final();
    } catch (cause) {
      plaintext.fill(0);
      throw forged(cause);
    }
    return plaintext;
  }

  rekey(): void {
    writeRekeyCounter(nonce, 4);
    const sealed = Buffer.alloc(32 + TAG_BYTES);
    this.#seal(NO_AD, [Buffer.alloc(32)], sealed, 0);
    this.#key = createSecretKey(sealed.subarray(0, 32));
    sealed.fill(0);
  }

  destroy(): void {
    this.#key = ZERO_KEY;
  }
}

const ZERO_KEY = createSecretKey(Buffer.alloc(32));

/** AES-256-GCM as the port has it. */
export function nodeAesGcm(key: Uint8Array): RecordCipher {
  return new NodeAesGcm(key);
}

function forged(cause: unknown = new Error('shorter than its tag')): BcastError {
  return new BcastError('BAD_FRAME', { cause });
}
