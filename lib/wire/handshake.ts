import { BcastError } from '../errors.ts';
import { concatBytes } from './bytes.ts';
import {
  BINDING_BYTES,
  type BindingCache,
  type Identity,
  type PeerIdentity,
  verifyBinding,
} from './crypto/identity.ts';
import type { CryptoProvider, RecordCipher } from './crypto/port.ts';
import { HandshakeState } from './noise/handshake-state.ts';
import { messageOverheads, XX, XXhfs } from './noise/patterns.ts';
import { encodePrologue, type Opening, parseRefusal } from './opening.ts';
import { RecordOpener, RecordSealer } from './record.ts';
import type { Suite } from './suites.ts';

/**
 * The choreography of a handshake, without frames: three messages (PROTOCOL §4). Each reader throws HANDSHAKE_FAILED, or
 * what a refusal means, and must not be used after a throw.
 */

const NOTHING = new Uint8Array(0);

/** What a finished handshake leaves. */
export interface Secured {
  readonly suite: number;
  readonly peer: PeerIdentity;
  readonly handshakeHash: Uint8Array;
  readonly sealer: RecordSealer;
  readonly opener: RecordOpener;
}

interface CommonOptions {
  readonly crypto: CryptoProvider;
  readonly identity: Identity;
  readonly suite: Suite;
  readonly recordsPerKey?: number | undefined;
}

export class InitiatorHandshake {
  readonly #options: CommonOptions;
  readonly #noise: HandshakeState;
  #peer: PeerIdentity | undefined;

  constructor(options: CommonOptions) {
    this.#options = options;
    this.#noise = noiseOf(options, 'initiator', encodePrologue(options.suite.id));
  }

  /** The first frame's payload. */
  open(): Uint8Array {
    return concatBytes([encodePrologue(this.#options.suite.id), this.#noise.writeMessage(NOTHING)]);
  }

  /** Reads the responder's reply and says who it is. May overwrite `payload`. */
  readReply(payload: Uint8Array): PeerIdentity {
    // The length tells a reply from a refusal.
    if (payload.length !== messageBytes(this.#options.suite, 1)) {
      throw parseRefusal(payload) ?? failed(new Error(`a reply of ${payload.length} bytes`));
    }
    this.#peer = asHandshakeFailure(() => readBinding(this.#options, this.#noise, payload));
    return this.#peer;
  }

  /** The last message's payload, and the keys. */
  finish(): { readonly message: Uint8Array; readonly secured: Secured } {
    if (this.#peer === undefined) throw failed(new Error('the responder is not verified'));
    const message = this.#noise.writeMessage(this.#options.identity.binding);
    return { message, secured: secure(this.#options, this.#noise, this.#peer) };
  }
}

export interface ResponderHandshakeOptions extends CommonOptions {
  readonly bindings?: BindingCache | undefined;
}

export class ResponderHandshake {
  readonly #options: ResponderHandshakeOptions;
  readonly #noise: HandshakeState;

  constructor(options: ResponderHandshakeOptions, prologue: Uint8Array) {
    this.#options = options;
    this.#noise = noiseOf(options, 'responder', prologue);
  }

  /** Reads the opening and returns the reply's payload. */
  reply(opening: Opening): Uint8Array {
    return asHandshakeFailure(() => {
      requireLength(opening.message, messageBytes(this.#options.suite, 0));
      this.#noise.readMessage(opening.message);
      return this.#noise.writeMessage(this.#options.identity.binding);
    });
  }

  /** Reads the initiator's last message. May overwrite `payload`. */
  finish(payload: Uint8Array): Secured {
    return asHandshakeFailure(() => {
      // Its tags and the binding's length tell a wrong length, before any key exchange.
      const peer = readBinding(this.#options, this.#noise, payload, this.#options.bindings);
      return secure(this.#options, this.#noise, peer);
    });
  }
}

function noiseOf(options: CommonOptions, role: 'initiator' | 'responder', prologue: Uint8Array): HandshakeState {
  return new HandshakeState({
    crypto: options.crypto,
    protocolName: options.suite.protocolName,
    pattern: PATTERNS[options.suite.handshake],
    role,
    prologue,
    s: options.identity.noiseStatic,
  });
}

const PATTERNS = { XX, XXhfs };
const OVERHEADS = { XX: messageOverheads(XX), XXhfs: messageOverheads(XXhfs) };

/** The exact length of the first message, which carries nothing, or the second, which carries a binding. */
function messageBytes(suite: Suite, index: 0 | 1): number {
  const overhead = OVERHEADS[suite.handshake][index] ?? 0;
  return index === 0 ? overhead : overhead + BINDING_BYTES;
}

function readBinding(
  options: CommonOptions,
  noise: HandshakeState,
  payload: Uint8Array,
  cache?: BindingCache,
): PeerIdentity {
  const binding = noise.readMessage(payload);
  const { remoteStatic } = noise;
  if (remoteStatic === undefined) throw failed(new Error('no static key came'));
  return verifyBinding(options.crypto, remoteStatic, binding, cache);
}

function secure(options: CommonOptions, noise: HandshakeState, peer: PeerIdentity): Secured {
  const handshakeHash = noise.getHandshakeHash();
  const { send, receive } = noise.split((key) => recordCipher(options, key));
  return {
    suite: options.suite.id,
    peer,
    handshakeHash,
    sealer: new RecordSealer(send, options.recordsPerKey),
    opener: new RecordOpener(receive, options.recordsPerKey),
  };
}

function recordCipher({ crypto, suite }: CommonOptions, key: Uint8Array): RecordCipher {
  switch (suite.recordCipher) {
    case 'aesGcm':
      return crypto.aesGcm(key);
    case 'secretbox':
      return crypto.secretbox(key);
  }
}

function requireLength(message: Uint8Array, bytes: number): void {
  if (message.length !== bytes) throw failed(new Error(`a handshake message of ${message.length} bytes`));
}

/** Every way to fail looks the same; which one it was stays in the cause. */
function asHandshakeFailure<T>(act: () => T): T {
  try {
    return act();
  } catch (cause) {
    if (cause instanceof BcastError && (cause.code === 'HANDSHAKE_FAILED' || cause.code === 'INTERNAL')) throw cause;
    throw failed(cause);
  }
}

function failed(cause: unknown): BcastError {
  return new BcastError('HANDSHAKE_FAILED', { cause });
}
