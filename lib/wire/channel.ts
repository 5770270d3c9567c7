import { BcastError, invariant } from '../errors.ts';
import { MAX_HANDSHAKE_FRAME_BYTES, MAX_MESSAGE_BYTES, MAX_RECORD_FRAME_BYTES, RECORD_TAG_BYTES } from '../limits.ts';
import type { BindingCache, Identity, PeerIdentity } from './crypto/identity.ts';
import type { CryptoProvider } from './crypto/port.ts';
import { encodeFrame, FrameDecoder } from './frame.ts';
import { InitiatorHandshake, ResponderHandshake, type Secured } from './handshake.ts';
import { encodeRefusal, NOT_BCAST_LINE, type Opening, PROTOCOL_VERSIONS, parseOpening } from './opening.ts';
import type { RecordOpener, RecordSealer } from './record.ts';
import { ALL_SUITES, DEFAULT_SUITE, suiteOf } from './suites.ts';

/**
 * Records in a row that may complete no message. The largest message fills 5; the rest leaves room for a sender that writes
 * in small pieces or keeps the line warm with empty records, and ends one that burns our time with them.
 */
export const MAX_RECORDS_WITHOUT_MESSAGE = 1_024;

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
   * memory may be used again; with false it belongs to the receiver. On a transport: `write` them, then say whether
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

type State =
  | { readonly phase: 'unstarted' }
  | { readonly phase: 'awaiting reply'; readonly handshake: InitiatorHandshake }
  | { readonly phase: 'awaiting acceptance'; readonly handshake: InitiatorHandshake }
  | { readonly phase: 'awaiting opening' }
  | { readonly phase: 'awaiting finish'; readonly handshake: ResponderHandshake }
  | {
      readonly phase: 'open';
      readonly sealer: RecordSealer;
      readonly opener: RecordOpener;
      readonly messages: FrameDecoder;
    }
  | { readonly phase: 'closed' };

const CLOSED: State = { phase: 'closed' };

/**
 * One encrypted connection without its socket: bytes in, messages out. There is no way to an open channel but through a
 * finished handshake with a verified binding.
 *
 * Whatever `receive`, `accept` and `sealMessages` throw (a BcastError, or what a handler or `send` threw) leaves the channel
 * closed and without keys; the owner closes the transport.
 */
export class Channel {
  #options: ChannelOptions | undefined;
  readonly #handler: ChannelHandler;
  readonly #send: (bytes: Uint8Array) => boolean;
  readonly #frames = new FrameDecoder({ maxBytes: MAX_HANDSHAKE_FRAME_BYTES });
  #state: State;
  #recordsWithoutMessage = 0;

  constructor(options: ChannelOptions) {
    this.#options = options;
    this.#handler = options.handler;
    this.#send = options.send;
    this.#state = { phase: options.role === 'initiator' ? 'unstarted' : 'awaiting opening' };
  }

  /** Whether messages can be sent. */
  get isOpen(): boolean {
    return this.#state.phase === 'open';
  }

  get isClosed(): boolean {
    return this.#state.phase === 'closed';
  }

  /** Bytes held because a frame or message is not complete yet. */
  get heldBytes(): number {
    return this.#frames.heldBytes + (this.#state.phase === 'open' ? this.#state.messages.heldBytes : 0);
  }

  /** Initiator: sends the opening. Once, when the transport is there; a responder has nothing to start. */
  start(): void {
    const options = this.#options;
    invariant(this.#state.phase === 'unstarted' && options?.role === 'initiator', 'an initiator starts once');
    this.#orClose(() => {
      const suite = suiteOf(options.suite ?? DEFAULT_SUITE);
      if (suite === undefined) throw new BcastError('SUITE_UNSUPPORTED');
      const handshake = new InitiatorHandshake({ ...options, suite });
      this.#state = { phase: 'awaiting reply', handshake };
      this.#send(encodeFrame(handshake.open()));
    });
  }

  /**
   * Takes bytes as they came, cut anywhere. They are valid for the call and MAY BE OVERWRITTEN: records are opened in
   * place. Ignored after `close`. Throws BAD_FRAME, HANDSHAKE_FAILED, VERSION_UNSUPPORTED, SUITE_UNSUPPORTED.
   */
  receive(bytes: Uint8Array): void {
    if (this.#state.phase === 'closed') return;
    try {
      this.#frames.push(bytes);
      for (let frame = this.#nextFrame(); frame !== undefined; frame = this.#nextFrame()) this.#onFrame(frame);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Initiator: goes on with the server that `onPeerIdentity` named. The channel is open when this returns. */
  accept(): void {
    const state = this.#state;
    invariant(state.phase === 'awaiting acceptance', 'a server is accepted once, when it is known');
    this.#orClose(() => {
      const { message, secured } = state.handshake.finish();
      this.#send(encodeFrame(message));
      this.#open(secured);
    });
  }

  /**
   * Seals `parts`, whole `[length u32][message]`s or pieces of them in order, and sends them: as one record and one call
   * of `send` when they fit in 65,519 bytes, else as several. The parts are read, not kept. Does nothing after `close`.
   */
  sealMessages(parts: readonly Uint8Array[]): void {
    const state = this.#state;
    if (state.phase === 'closed') return;
    invariant(state.phase === 'open', 'messages are sent on an open channel');
    try {
      state.sealer.seal(parts, this.#send);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Forgets the keys and everything held. No handler is called. */
  close(): void {
    if (this.#state.phase === 'open') {
      this.#state.sealer.destroy();
      this.#state.opener.destroy();
    }
    this.#state = CLOSED;
    this.#options = undefined;
    this.#frames.reset();
  }

  #nextFrame(): Uint8Array | undefined {
    if (this.#state.phase === 'closed') return undefined;
    try {
      return this.#frames.next();
    } catch (cause) {
      throw this.#framingFault(cause);
    }
  }

  /** A length out of bounds: before the handshake it mostly means that the other end is something else. */
  #framingFault(cause: unknown): unknown {
    switch (this.#state.phase) {
      case 'awaiting opening':
        this.#send(NOT_BCAST_LINE);
        return cause;
      case 'open':
        return cause;
      default:
        return new BcastError('HANDSHAKE_FAILED', { cause });
    }
  }

  #onFrame(payload: Uint8Array): void {
    const state = this.#state;
    switch (state.phase) {
      case 'open':
        this.#onRecord(state.opener, state.messages, payload);
        return;
      case 'awaiting opening':
        this.#onOpening(payload);
        return;
      case 'awaiting finish':
        this.#open(state.handshake.finish(payload));
        return;
      case 'awaiting reply': {
        const peer = state.handshake.readReply(payload);
        this.#state = { phase: 'awaiting acceptance', handshake: state.handshake };
        (this.#handler as InitiatorHandler).onPeerIdentity(peer);
        return;
      }
      case 'unstarted':
      case 'awaiting acceptance':
        throw new BcastError('HANDSHAKE_FAILED', { cause: new Error('a frame out of turn') });
      case 'closed':
        return;
    }
  }

  #onOpening(payload: Uint8Array): void {
    const opening = parseOpening(payload);
    if (opening === undefined) {
      this.#send(NOT_BCAST_LINE);
      throw new BcastError('BAD_FRAME', { cause: new Error('the first frame is not of bcast') });
    }
    const handshake = this.#respondTo(opening);
    this.#send(encodeFrame(handshake.reply(opening)));
    this.#state = { phase: 'awaiting finish', handshake };
  }

  #respondTo(opening: Opening): ResponderHandshake {
    const options = this.#options;
    invariant(options?.role === 'responder', 'an opening is awaited by a responder');
    const suites = options.suites ?? ALL_SUITES;
    if (!PROTOCOL_VERSIONS.includes(opening.version)) {
      this.#send(encodeFrame(encodeRefusal('version', suites)));
      throw new BcastError('VERSION_UNSUPPORTED');
    }
    const suite = suites.includes(opening.suite) ? suiteOf(opening.suite) : undefined;
    if (suite === undefined) {
      this.#send(encodeFrame(encodeRefusal('suite', suites)));
      throw new BcastError('SUITE_UNSUPPORTED');
    }
    return new ResponderHandshake({ ...options, suite }, opening.prologue);
  }

  #open({ sealer, opener, suite, peer, handshakeHash }: Secured): void {
    this.#options = undefined;
    this.#frames.setBounds({ minBytes: RECORD_TAG_BYTES, maxBytes: MAX_RECORD_FRAME_BYTES });
    const messages = new FrameDecoder({ minBytes: 1, maxBytes: MAX_MESSAGE_BYTES });
    this.#state = { phase: 'open', sealer, opener, messages };
    this.#handler.onOpen({ suite, peer, handshakeHash });
  }

  #onRecord(opener: RecordOpener, messages: FrameDecoder, payload: Uint8Array): void {
    messages.push(opener.open(payload));
    this.#recordsWithoutMessage += 1;
    for (let message = messages.next(); message !== undefined; message = messages.next()) {
      this.#recordsWithoutMessage = 0;
      this.#handler.onMessage(message);
      if (this.#state.phase === 'closed') return;
    }
    if (this.#recordsWithoutMessage >= MAX_RECORDS_WITHOUT_MESSAGE) {
      throw new BcastError('BAD_FRAME', { cause: new Error(`${this.#recordsWithoutMessage} records and no message`) });
    }
  }

  #orClose(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.close();
      throw error;
    }
  }
}
