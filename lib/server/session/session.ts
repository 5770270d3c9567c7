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
import { publicStatus } from '../hub/commands/status.ts';
import type { Hub } from '../hub/hub.ts';
import type { Outbox } from '../hub/ports.ts';
import { errorEvent } from '../hub/refusal.ts';
import type { UserSession } from '../hub/user-session.ts';
import { type DeadlineLimits, Deadlines } from './deadlines.ts';
import { RequestLine } from './request-line.ts';
import { type FlushList, SendQueue, type SendQueueLimits } from './send-queue.ts';

export interface SessionLimits extends SendQueueLimits, DeadlineLimits {}

/** A session as an operator sees it. */
export interface SessionFacts {
  /** Null until the hello is accepted, as are the next two. */
  readonly user: string | null;
  readonly fingerprint: Fingerprint | null;
  readonly agent: string | null;
  readonly address: string;
  readonly rooms: number;
  /** How long it has been connected, and since when nothing was heard of it. */
  readonly ageMs: number;
  readonly silentMs: number;
  /** What waits for it to be read. */
  readonly waitingBytes: number;
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
  /** Calls back in the next turn of the event loop. */
  readonly nextTurn: (callback: () => void) => void;
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
  #agent: string | undefined;
  #wasAsked = false;
  #isEnding = false;
  #isPaused = false;
  readonly #deadlines: Deadlines;

  constructor(context: SessionContext, transport: Transport, onGone: (session: Session) => void) {
    const { clock, crypto, identity, bindings, limits, flushList, nextTurn } = context;
    this.#context = context;
    this.#transport = transport;
    this.#onGone = onGone;
    const deadlines = new Deadlines(limits, clock.monotonicMs());
    this.#deadlines = deadlines;
    const send = (bytes: Uint8Array): boolean => {
      deadlines.sentBytes += bytes.length;
      transport.write(bytes);
      return transport.bufferedBytes === 0;
    };
    this.#channel = new Channel({ role: 'responder', crypto, identity, bindings, handler: this, send });
    this.#queue = new SendQueue(this.#channel, transport, limits, flushList, () => this.#onFlushed());
    this.#requests = new RequestLine({
      handle: (request) => this.#handle(request),
      isHeartbeat: ({ type }) => type === 'ping' && this.#user !== undefined,
      // With an empty queue there is room for an answer, and the transport need not be asked.
      isHeld: () => !this.#queue.isEmpty && this.#queue.isOverfull,
      nextTurn,
      onEmpty: () => this.#resume(),
    });
    transport.start(this);
  }

  get address(): string {
    return this.#transport.remoteAddress;
  }

  facts(nowMs: number): SessionFacts {
    return {
      user: this.#user?.user.name ?? null,
      fingerprint: this.#user?.user.fp ?? null,
      agent: this.#agent ?? null,
      address: this.address,
      rooms: this.#user?.rooms.size ?? 0,
      ageMs: Math.round(nowMs - this.#deadlines.startedMs),
      silentMs: Math.round(nowMs - this.#deadlines.heardMs),
      waitingBytes: this.#queue.pendingBytes,
    };
  }

  // TransportHandler

  onData(bytes: Uint8Array): void {
    if (this.#isEnding) return;
    this.#deadlines.heardMs = this.#context.clock.monotonicMs();
    try {
      this.#channel.receive(bytes);
    } catch (error) {
      this.#closeFor(toBcastError(error));
    }
    this.#pauseIfBusy();
  }

  onDrain(): void {
    this.#queue.flush();
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
      this.#refuseUnread(toBcastError(error), requestIdOf(bytes));
      return;
    }
    this.#requests.push(request);
  }

  // Outbox

  /** Nothing follows the farewell. */
  send(bytes: Uint8Array, count: number): void {
    if (!this.#isEnding) this.#queue.send(bytes, count);
  }

  sendRoom(room: RoomName, bytes: Uint8Array, count: number): void {
    this.#queue.sendRoom(room, bytes, count);
  }

  /** Takes no more requests; those that were taken are still answered. */
  takeNoMore(): void {
    this.#requests.close();
  }

  get isFull(): boolean {
    return this.#queue.isFull;
  }

  get isHopeless(): boolean {
    return this.isFull && this.#queue.pendingBytes > 2 * this.#context.limits.sendQueueBytes;
  }

  /** Tells the client why, and closes once it has taken what is queued. */
  end(error: BcastError): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#deadlines.ended(this.#context.clock.monotonicMs());
    if (error.code === 'SLOW_READER') this.#logClose(error);
    this.#leave();
    if (this.#channel.isOpen) {
      this.#queue.sendLast(encodeEvent(errorEvent(error, null)));
      this.#queue.flush();
    } else {
      this.#transport.end();
    }
  }

  /** Closes at once. */
  destroy(): void {
    this.#isEnding = true;
    this.#transport.destroy();
  }

  /** Ends a session that does not say hello in time, says nothing for too long, or reads nothing for too long. */
  checkDeadlines(nowMs: number): void {
    const isEnding = this.#isEnding;
    const waitingBytes = this.#transport.bufferedBytes;
    const missed = this.#deadlines.missed(nowMs, { isEnding, isPaused: this.#isPaused, waitingBytes });
    if (missed === null) return;
    if (missed === 'SLOW_READER') this.#logClose(new BcastError(missed));
    // Who has not read so far will not read the reason either.
    if (missed === 'CLOSED' || missed === 'SLOW_READER') this.destroy();
    else this.#closeFor(new BcastError(missed));
  }

  #handle(request: Request): undefined | Promise<void> {
    if (this.#isEnding) return undefined;
    if (this.#user !== undefined) return this.#context.hub.handle(this.#user, request);
    if (request.type === 'hello') return this.#hello(request);
    if (request.type === 'status' && !this.#wasAsked) this.#status(request);
    else this.#refuse(new BcastError('NOT_READY', { text: 'Say hello first.' }), request.req);
    return undefined;
  }

  async #hello(hello: Requests['hello']): Promise<void> {
    const { hub, log } = this.#context;
    const fp = this.#fp as Fingerprint;
    try {
      const user = await hub.enter({ hello, fp, address: this.address, outbox: this });
      if (this.#isEnding) {
        hub.exit(user);
        return;
      }
      this.#user = user;
      this.#agent = hello.agent;
      this.#deadlines.welcomed();
      log.info({ user: user.user.name, fp, address: this.address, agent: hello.agent }, 'entered');
    } catch (error) {
      if (this.#isEnding) return;
      this.#refuse(toBcastError(error), hello.req);
    }
  }

  /** Answers somebody without a name, once: it must not be a way to keep us busy. */
  #status({ req }: Requests['status']): void {
    this.#wasAsked = true;
    try {
      this.#queue.send(encodeEvent(publicStatus(this.#context.hub, req)), 1);
      this.#queue.send(encodeEvent({ type: 'ok', req, seq: null, ts: null }), 1);
    } catch (error) {
      this.#refuse(toBcastError(error), req);
    }
  }

  /** What cannot be decoded. Somebody who is in may misspell a name, but not without end: it costs us the decoding. */
  #refuseUnread(error: BcastError, req: number | null): void {
    this.#refuse(error, req);
    if (this.#user !== undefined && this.#context.hub.isTooFast(this.#user)) this.#closeFor(error);
  }

  /** Answers a request with an error; before the hello is accepted, and for broken messages, that ends the connection. */
  #refuse(error: BcastError, req: number | null): void {
    // One that ends the connection goes out as the last thing anyhow, without an id.
    const isLast = this.#user === undefined || isFatal(error.code);
    if (req !== null || !isLast) this.#queue.send(encodeEvent(errorEvent(error, req)), 1);
    if (isLast) this.#closeFor(error);
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
    // That its storage is out of reach, and why, the server has logged already; a stack for each who comes would fill disks.
    const err = error.code === 'UNAVAILABLE' ? undefined : error.cause;
    log[level]({ user, address: this.address, code: error.code, err }, `closed: ${error.message}`);
  }

  #leave(): void {
    this.#requests.close();
    if (this.#user !== undefined && !this.#user.isGone) {
      this.#context.log.info({ user: this.#user.user.name, address: this.address }, 'left');
      this.#context.hub.exit(this.#user);
    }
  }

  /** All that the transport would take has left. */
  #onFlushed(): void {
    if (this.#isEnding) {
      if (this.#queue.isEmpty) this.#transport.end();
      return;
    }
    this.#requests.goOn();
    this.#resume();
  }

  /** Who asks faster than it reads the answers, or than they can be given, is read no further for now. */
  #pauseIfBusy(): void {
    if (this.#isPaused || this.#isEnding) return;
    if (!this.#queue.isOverfull && !this.#requests.isLong) return;
    this.#isPaused = true;
    this.#transport.pause();
  }

  #resume(): void {
    if (!this.#isPaused || this.#queue.isOverfull || this.#requests.length > 0) return;
    this.#isPaused = false;
    this.#deadlines.heardMs = this.#context.clock.monotonicMs();
    this.#transport.resume();
  }
}

/** Whether an error that answers a request also ends the connection of somebody who is in already. */
function isFatal(code: ErrorCode): boolean {
  return code === 'BAD_MESSAGE' || code === 'NOT_READY';
}
