import { BcastError } from '../errors.ts';
import type { BindingCache, Identity, PeerIdentity } from './crypto/identity.ts';
import type { CryptoProvider } from './crypto/port.ts';

/** What is known when a channel opens. */
export interface ChannelInfo {
  readonly suite: number;
  readonly peer: PeerIdentity;
  /** Noise §11.2: the same at both ends and at no others. 32 bytes. */
  readonly handshakeHash: Uint8Array;
}

export interface ChannelHandler {
  /** Keys exist and the other end's identity is verified; messages may be sent from here on. */
  onOpen(info: ChannelInfo): void;
  /**
   * One message of the stream, without its length prefix. The bytes alias internal memory and are valid only during the
   * call. What it throws goes through `receive` and kills the channel.
   */
  onMessage(bytes: Uint8Array): void;
}

export interface InitiatorHandler extends ChannelHandler {
  /**
   * The server's identity is verified; nothing of ours was revealed yet. Call `channel.accept()`, now or later, to go on,
   * or `close()`.
   */
  onPeerIdentity(peer: PeerIdentity): void;
}

interface CommonOptions {
  readonly crypto: CryptoProvider;
  readonly identity: Identity;
  /**
   * Takes bytes for the other end. True says that they have left already (an operating system copied them) and that the
   * memory may be used again; with false it belongs to the receiver. On a socket: `write` it, then say whether
   * `bufferedBytes` is 0.
   */
  readonly send: (bytes: Uint8Array) => boolean;
  /** Records under one key; other than the protocol's number only in tests. */
  readonly recordsPerKey?: number;
}

export interface InitiatorOptions extends CommonOptions {
  readonly role: 'initiator';
  readonly handler: InitiatorHandler;
  readonly suite?: number;
}

export interface ResponderOptions extends CommonOptions {
  readonly role: 'responder';
  readonly handler: ChannelHandler;
  /** The suites accepted; all by default. */
  readonly suites?: readonly number[];
  readonly bindings?: BindingCache;
}

export type ChannelOptions = InitiatorOptions | ResponderOptions;

/**
 * One encrypted connection without its socket: bytes in, messages out. There is no way to an open channel but through a
 * finished handshake with a verified binding.
 *
 * Every throw of `receive` is a BcastError (or what a handler threw) and leaves the channel dead and without keys; the
 * owner closes the transport.
 */
export class Channel {
  constructor(options: ChannelOptions) {
    throw new BcastError('INTERNAL', { cause: options });
  }

  /** Whether messages can be sent. */
  get isOpen(): boolean {
    throw new BcastError('INTERNAL');
  }

  /** Bytes held because a frame or message is not complete yet. */
  get heldBytes(): number {
    throw new BcastError('INTERNAL');
  }

  /** Initiator: sends the opening. Once, when the transport is there; the responder has nothing to start. */
  start(): void {
    throw new BcastError('INTERNAL');
  }

  /**
   * Takes bytes as they came, cut anywhere. They are valid for the call and MAY BE OVERWRITTEN: records are opened in
   * place. Ignored after `close`. Throws BAD_FRAME, HANDSHAKE_FAILED, VERSION_UNSUPPORTED, SUITE_UNSUPPORTED.
   */
  receive(bytes: Uint8Array): void {
    throw new BcastError('INTERNAL', { cause: bytes });
  }

  /** Initiator: goes on with the server that `onPeerIdentity` named. Opens the channel before it returns. */
  accept(): void {
    throw new BcastError('INTERNAL');
  }

  /**
   * Seals `parts`, whole `[length u32][message]`s or pieces of them in order, and sends them: as one record and one call
   * of `send` when they fit in 65,519 bytes, else as several. The parts are read, not kept. Does nothing after `close`.
   */
  sealMessages(parts: readonly Uint8Array[]): void {
    throw new BcastError('INTERNAL', { cause: parts });
  }

  /** Forgets the keys and everything held. No handler is called. */
  close(): void {
    throw new BcastError('INTERNAL');
  }
}
