import { BcastError, invariant } from '../../errors.ts';
import { concatBytes } from '../bytes.ts';
import { type CryptoProvider, type DhKeyPair, type KemKeyPair, type RecordCipher, TAG_BYTES } from '../crypto/port.ts';
import type { CipherState } from './cipher-state.ts';
import { DH_BYTES, type HandshakePattern, KEM_CIPHERTEXT_BYTES, KEM_PUBLIC_BYTES, type Token } from './patterns.ts';
import { SymmetricState } from './symmetric-state.ts';

export interface HandshakeOptions {
  readonly crypto: CryptoProvider;
  readonly protocolName: string;
  readonly pattern: HandshakePattern;
  readonly role: 'initiator' | 'responder';
  readonly prologue: Uint8Array;
  /** Our static pair. */
  readonly s: DhKeyPair;
}

/** The two directions of what follows the handshake. */
export interface TransportCiphers {
  readonly send: CipherState;
  readonly receive: CipherState;
}

/**
 * Noise §5.3, with the tokens e1 and ekem1 of the HFS extension. Reading throws HANDSHAKE_FAILED on a message of the wrong
 * length and on keys that will not do, and BAD_FRAME on a forgery; the state must not be used after a throw.
 */
export class HandshakeState {
  readonly #crypto: CryptoProvider;
  readonly #symmetric: SymmetricState;
  readonly #pattern: HandshakePattern;
  readonly #isInitiator: boolean;
  readonly #s: DhKeyPair;
  #e: DhKeyPair | undefined;
  #rs: Uint8Array | undefined;
  #re: Uint8Array | undefined;
  #e1: KemKeyPair | undefined;
  #re1: Uint8Array | undefined;
  #next = 0;

  constructor(options: HandshakeOptions) {
    this.#crypto = options.crypto;
    this.#symmetric = new SymmetricState(options.crypto, options.protocolName);
    this.#symmetric.mixHash(options.prologue);
    this.#pattern = options.pattern;
    this.#isInitiator = options.role === 'initiator';
    this.#s = options.s;
  }

  /** The other end's static key, once it is known: 32 bytes. */
  get remoteStatic(): Uint8Array | undefined {
    return this.#rs;
  }

  /** Whether all messages are done and `split` can be called. */
  get isComplete(): boolean {
    return this.#next === this.#pattern.messages.length;
  }

  getHandshakeHash(): Uint8Array {
    return this.#symmetric.getHandshakeHash();
  }

  /** The next message. Not to be modified. */
  writeMessage(payload: Uint8Array): Uint8Array {
    const parts = this.#takeTurn(true).map((token) => this.#write(token));
    parts.push(this.#symmetric.encryptAndHash(payload));
    return concatBytes(parts.filter((part) => part.length > 0));
  }

  /** The payload of the other end's next message. May overwrite `message`, and the result may alias it. */
  readMessage(message: Uint8Array): Uint8Array {
    let offset = 0;
    for (const token of this.#takeTurn(false)) offset += this.#read(token, message, offset);
    if (offset > message.length) throw tooShort();
    return this.#symmetric.decryptAndHash(message.subarray(offset));
  }

  /** The ciphers of what follows, made by `newCipher`. This state is done with then. */
  split(newCipher: (key: Uint8Array) => RecordCipher): TransportCiphers {
    invariant(this.isComplete, 'a handshake is split when it is complete');
    const [initiator, responder] = this.#symmetric.split(newCipher);
    return this.#isInitiator ? { send: initiator, receive: responder } : { send: responder, receive: initiator };
  }

  #takeTurn(isWriting: boolean): readonly Token[] {
    const tokens = this.#pattern.messages[this.#next];
    const isInitiatorsTurn = this.#next % 2 === 0;
    invariant(tokens !== undefined && isWriting === (isInitiatorsTurn === this.#isInitiator), 'it is our turn');
    this.#next += 1;
    return tokens;
  }

  #write(token: Token): Uint8Array {
    switch (token) {
      case 'e':
        this.#e = this.#crypto.generateDh();
        this.#symmetric.mixHash(this.#e.publicKey);
        return this.#e.publicKey;
      case 's':
        return this.#symmetric.encryptAndHash(this.#s.publicKey);
      case 'e1':
        this.#e1 = this.#crypto.kem.generate();
        return this.#symmetric.encryptAndHash(this.#e1.publicKey);
      case 'ekem1': {
        const { ciphertext, sharedSecret } = this.#crypto.kem.encapsulate(known(this.#re1));
        const sealed = this.#symmetric.encryptAndHash(ciphertext);
        this.#symmetric.mixKey(sharedSecret);
        return sealed;
      }
      default:
        this.#mixDh(token);
        return NOTHING;
    }
  }

  /** Returns how many bytes the token took. */
  #read(token: Token, message: Uint8Array, offset: number): number {
    const tagBytes = this.#symmetric.hasKey() ? TAG_BYTES : 0;
    switch (token) {
      case 'e':
        this.#re = new Uint8Array(piece(message, offset, DH_BYTES));
        this.#symmetric.mixHash(this.#re);
        return DH_BYTES;
      case 's':
        this.#rs = new Uint8Array(this.#symmetric.decryptAndHash(piece(message, offset, DH_BYTES + tagBytes)));
        return DH_BYTES + tagBytes;
      case 'e1':
        this.#re1 = new Uint8Array(this.#symmetric.decryptAndHash(piece(message, offset, KEM_PUBLIC_BYTES + tagBytes)));
        return KEM_PUBLIC_BYTES + tagBytes;
      case 'ekem1': {
        const sealed = piece(message, offset, KEM_CIPHERTEXT_BYTES + tagBytes);
        const ciphertext = this.#symmetric.decryptAndHash(sealed);
        this.#symmetric.mixKey(this.#crypto.kem.decapsulate(known(this.#e1), ciphertext));
        return KEM_CIPHERTEXT_BYTES + tagBytes;
      }
      default:
        this.#mixDh(token);
        return 0;
    }
  }

  #mixDh(token: 'ee' | 'es' | 'se'): void {
    const shared = this.#dhOf(token);
    this.#symmetric.mixKey(shared);
    shared.fill(0);
  }

  #dhOf(token: 'ee' | 'es' | 'se'): Uint8Array {
    const dh = this.#crypto.dh;
    switch (token) {
      case 'ee':
        return dh(known(this.#e), known(this.#re));
      case 'es':
        return this.#isInitiator ? dh(known(this.#e), known(this.#rs)) : dh(this.#s, known(this.#re));
      case 'se':
        return this.#isInitiator ? dh(this.#s, known(this.#re)) : dh(known(this.#e), known(this.#rs));
    }
  }
}

const NOTHING = new Uint8Array(0);

function known<T>(key: T | undefined): T {
  invariant(key !== undefined, 'a pattern uses a key after it was exchanged');
  return key;
}

function piece(message: Uint8Array, offset: number, bytes: number): Uint8Array {
  if (offset + bytes > message.length) throw tooShort();
  return message.subarray(offset, offset + bytes);
}

function tooShort(): BcastError {
  return new BcastError('HANDSHAKE_FAILED', { cause: new Error('handshake message too short') });
}
