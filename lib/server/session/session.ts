import type { Clock } from '../../clock.ts';
import { BcastError, type ErrorCode, toBcastError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import { decodeRequest, encodeEvent, requestIdOf } from '../../protocol/codec.ts';
import type { Fingerprint, Request, Requests } from '../../protocol/messages.ts';
import type { RoomName } from '../../protocol/names.ts';
import { Channel, type ChannelInfo } from '../../wire/channel.ts';
import type { BindingCache, Identity } from '../../wire/crypto/identity.ts';
import type { CryptoProvider } from '../../wire/crypto/port.ts';
import type { Transport } from '../../wire/transport/transport.ts';
import type { Hub } from '../hub/hub.ts';
import type { Outbox } from '../hub/ports.ts';
import { errorEvent } from '../hub/refusal.ts';
import type { UserSession } from '../hub/user-session.ts';
import { RequestLine } from './request-line.ts';
import { type FlushList, SendQueue, type SendQueueLimits } from './send-queue.ts';

/** Requests that may wait behind one that takes time before the connection is read no further. */
const MAX_WAITING_REQUESTS = 256;

export interface SessionLimits extends SendQueueLimits {
  readonly handshakeTimeout: number;
  readonly idleTimeout: number;
  readonly slowReaderTimeout: number;
}

/** What all sessions of a node share. */
export interface SessionContext {
  readonly hub: Hub;
  readonly crypto: CryptoProvider;
  readonly identity: Identity;
  readonly bindings: BindingCache;
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits: SessionLimits;
  readonly flushList: FlushList;
}

/**
 * One connection from its first byte to its last: the channel that makes messages of bytes, the queue that makes bytes
 * of messages, and between them the requests, one after another.
 */
export class Session implements Outbox {
  readonly #context: SessionContext;
  readonly #transport: Transport;
  readonly #channel: Channel;
  readonly #queue: SendQueue;
  readonly #requests: RequestLine;
  readonly #onGone: (session: Session) => void;
  #fp: Fingerprint | undefined;
  #user: UserSession | undefined;
  #isEnding = false;
  #isPaused = false;
  #startedMs: number;
  #heardMs: number;
  /** Since when something waits that the other end does not take, and how much it was. */
  #stuckSinceMs = 0;
  #stuckBytes = 0;

  constructor(context: SessionContext, transport: Transport, onGone: (session: Session) => void) {
    const { clock, crypto, identity, bindings, limits, flushList } = context;
    this.#context = context;
    this.#transport = transport;
    this.#onGone = onGone;
    this.#startedMs = clock.monotonicMs();
    this.#heardMs = this.#startedMs;
    const send = (bytes: Uint8Array): boolean => {
      transport.write(bytes);
      return transport.bufferedBytes === 0;
    };
    this.#channel = new Channel({ role: 'responder', crypto, identity, bindings, handler: this, send });
    this.#queue = new SendQueue(this.#channel, transport, limits, flushList);
    this.#requests = new RequestLine(
      (request) => this.#handle(request),
      () => this.#resume(),
    );
    transport.start(this);
  }

  get address(): string {
    return this.#transport.remoteAddress;
  }

  // TransportHandler

  onData(bytes: Uint8Array): void {
    if (this.#isEnding) return;
    this.#heardMs = this.#context.clock.monotonicMs();
    try {
      this.#channel.receive(bytes);
    } catch (error) {
      this.#closeFor(toBcastError(error));
    }
    this.#pauseIfBusy();
  }

  onDrain(): void {
    this.#queue.flush();
    this.#resume();
  }

  onClose(): void {
    this.#isEnding = true;
    this.#channel.close();
    this.#leave();
    this.#onGone(this);
  }

  // ChannelHandler

  onOpen({ peer }: ChannelInfo): void {
    this.#fp = peer.fingerprint;
  }

  onMessage(bytes: Uint8Array): void {
    if (this.#isEnding) return;
    let request: Request;
    try {
      request = decodeRequest(bytes);
    } catch (error) {
      this.#refuse(toBcastError(error), requestIdOf(bytes));
      return;
    }
    this.#requests.push(request);
  }

  // Outbox

  send(bytes: Uint8Array, count: number): void {
    this.#queue.send(bytes, count);
  }

  sendRoom(room: RoomName, bytes: Uint8Array, count: number): void {
    this.#queue.sendRoom(room, bytes, count);
  }

  /** Tells the client why, sends what is queued and closes. */
  end(error: BcastError): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    if (this.#channel.isOpen) {
      this.#queue.send(encodeEvent(errorEvent(error, null)), 1);
      this.#queue.flush();
    }
    this.#leave();
    this.#transport.end();
  }

  /** Closes at once. */
  destroy(): void {
    this.#isEnding = true;
    this.#transport.destroy();
  }

  /** Ends a session that does not say hello in time, says nothing for too long, or reads nothing for too long. */
  checkDeadlines(nowMs: number): void {
    const { handshakeTimeout, idleTimeout, slowReaderTimeout } = this.#context.limits;
    if (this.#isEnding) return;
    if (this.#user === undefined && nowMs - this.#startedMs > handshakeTimeout) {
      this.#closeFor(new BcastError('HANDSHAKE_TIMEOUT'));
    } else if (this.#isStuck(nowMs, slowReaderTimeout)) {
      this.#logClose(new BcastError('SLOW_READER'));
      this.destroy();
    } else if (!this.#isPaused && nowMs - this.#heardMs > idleTimeout) {
      this.#closeFor(new BcastError('IDLE_TIMEOUT'));
    }
  }

  #handle(request: Request): undefined | Promise<void> {
    if (this.#isEnding) return undefined;
    if (this.#user !== undefined) return this.#context.hub.handle(this.#user, request);
    if (request.type === 'hello') this.#hello(request);
    else this.#refuse(new BcastError('NOT_READY', { text: 'Say hello first.' }), request.req);
    return undefined;
  }

  #hello(hello: Requests['hello']): void {
    const { hub, log } = this.#context;
    const fp = this.#fp as Fingerprint;
    try {
      this.#user = hub.enter({ hello, fp, address: this.address, outbox: this });
      log.info({ user: this.#user.user.name, fp, address: this.address, agent: hello.agent }, 'entered');
    } catch (error) {
      this.#refuse(toBcastError(error), hello.req);
    }
  }

  /** Answers a request with an error; before the hello is accepted, and for broken messages, that ends the connection. */
  #refuse(error: BcastError, req: number | null): void {
    this.#queue.send(encodeEvent(errorEvent(error, req)), 1);
    if (this.#user === undefined || isFatal(error.code)) this.#closeFor(error);
  }

  #closeFor(error: BcastError): void {
    if (this.#isEnding) return;
    this.#logClose(error);
    this.end(error);
  }

  #logClose(error: BcastError): void {
    const { log } = this.#context;
    const level = error.code === 'INTERNAL' ? 'error' : 'info';
    const user = this.#user?.user.name;
    log[level]({ user, address: this.address, code: error.code, err: error.cause }, `closed: ${error.message}`);
  }

  #leave(): void {
    this.#requests.close();
    if (this.#user !== undefined && !this.#user.isGone) {
      this.#context.log.info({ user: this.#user.user.name, address: this.address }, 'left');
      this.#context.hub.exit(this.#user);
    }
  }

  /** Who asks faster than it reads the answers, or than they can be given, is read no further for now. */
  #pauseIfBusy(): void {
    if (this.#isPaused || this.#isEnding) return;
    if (!this.#queue.isOverfull && this.#requests.length < MAX_WAITING_REQUESTS) return;
    this.#isPaused = true;
    this.#transport.pause();
  }

  #resume(): void {
    if (!this.#isPaused || this.#queue.isOverfull || this.#requests.length >= MAX_WAITING_REQUESTS) return;
    this.#isPaused = false;
    this.#heardMs = this.#context.clock.monotonicMs();
    this.#transport.resume();
  }

  /** Whether the same bytes have been waiting in the transport for so long. */
  #isStuck(nowMs: number, timeoutMs: number): boolean {
    const waiting = this.#transport.bufferedBytes;
    if (waiting === 0 || waiting !== this.#stuckBytes) {
      this.#stuckBytes = waiting;
      this.#stuckSinceMs = nowMs;
    }
    return waiting > 0 && nowMs - this.#stuckSinceMs > timeoutMs;
  }
}

/** Whether an error that answers a request also ends the connection of somebody who is in already. */
function isFatal(code: ErrorCode): boolean {
  return code === 'BAD_MESSAGE' || code === 'NOT_READY';
}
