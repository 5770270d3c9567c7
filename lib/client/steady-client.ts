import { BcastError } from '../errors.ts';
import { MAX_REASON_BYTES } from '../limits.ts';
import type { Event, Events, MemberRow, MessageId } from '../protocol/messages.ts';
import { requireRoomName, requireUserName, type UserName } from '../protocol/names.ts';
import { utf8Length } from '../protocol/text.ts';
import { addressKey, inviteUrl } from './address.ts';
import type { Client, SayOptions } from './client.ts';
import type { Ask } from './connection.ts';
import { EventQueue } from './event-queue.ts';
import type { ClientEvent, ConnectionStatus, Receipt } from './events.ts';
import type { Link } from './link.ts';
import { Marks } from './marks.ts';
import { newMessageId } from './message-id.ts';
import { Outbox, type Outgoing } from './outbox.ts';
import type { Delay } from './patience.ts';
import { membersIn, Requests, short } from './requests.ts';
import { RoomCodes } from './room-codes.ts';
import { type JoinOptions, notJoined, Rooms } from './rooms.ts';
import type { Settings } from './settings.ts';
import { SteadyLink } from './steady-link.ts';

/** The client behind `connect`: puts together what it is made of, and is the door to it. */
export class SteadyClient extends Requests implements Client {
  readonly #settings: Settings;
  readonly #events: EventQueue;
  readonly #outbox: Outbox;
  readonly #rooms: Rooms;
  readonly #marks: Marks;
  readonly #codes = new RoomCodes();
  readonly #link: SteadyLink;
  #name: UserName;
  #maxBodyBytes = 0;
  #away: string | null = null;

  constructor(settings: Settings) {
    super();
    const { name, onEvent, clock, random } = settings;
    this.#settings = settings;
    this.#name = name;
    this.#events = new EventQueue({
      // The connection itself is read on: the answer that the reader may be waiting for comes the same way.
      onPressure: (isFull) => this.#rooms.setHeld(isFull),
      onOverflow: () => this.#link.link?.fail(new BcastError('SLOW_READER', { text: OVERFLOWN })),
    });
    const { room, code } = settings.link.address;
    if (room !== undefined && code !== undefined) this.#codes.learn(room, code);
    if (onEvent !== undefined) this.#events.subscribe(onEvent);
    const onDelay = (why: Delay, retryAfterMs: number): void =>
      this.#events.push({ type: why === 'SLOW_DOWN' ? 'slowDown' : 'unavailable', retryAfterMs });
    this.#link = new SteadyLink(settings, {
      name: () => this.#name,
      onStatus: (status) => this.#events.push({ type: 'status', status }),
      onOnline: (link, isReconnect) => this.#onOnline(link, isReconnect),
      onOffline: () => this.#onOffline(),
      onClosed: (error) => this.#onClosed(error ?? new BcastError('CLOSED')),
      onEvent: (event) => this.#onEvent(event),
      onLatency: (roundTripMs) => this.#events.push({ type: 'latency', roundTripMs }),
      onDelay,
    });
    this.#outbox = new Outbox({
      clock,
      isOpen: (room) => this.#rooms.isOpen(room),
      onSent: (message, receipt) => this.#onSent(message, receipt),
      onDelay,
    });
    this.#marks = new Marks({ clock, random, send: (ask, settle) => this.#link.send(ask, settle) });
    this.#rooms = new Rooms({
      ask: (ask, settle) => this.#link.insist(ask, settle),
      clock,
      codes: this.#codes,
      marks: this.#marks,
      emit: (event) => this.#emit(event),
      onOpen: () => this.#outbox.resume(),
      onOut: (room, error) => this.#outbox.rejectRoom(room, error),
      onFailure: (error) => this.#link.link?.fail(error),
    });
  }

  /** Makes the first connection. Rejects with the reason when that fails. */
  start(): Promise<void> {
    return this.#link.start();
  }

  get status(): ConnectionStatus {
    return this.#link.status;
  }

  get name(): UserName {
    return this.#name;
  }

  get maxBodyBytes(): number {
    return this.#maxBodyBytes;
  }

  get unacknowledged(): number {
    return this.#outbox.size;
  }

  subscribe(listener: (event: ClientEvent) => void): () => void {
    return this.#events.subscribe(listener);
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<ClientEvent, undefined> {
    return this.#events.read();
  }

  pause(): void {
    this.#link.pause();
  }

  resume(): void {
    this.#link.resume();
  }

  async say(room: string, body: string, options: SayOptions = {}): Promise<Receipt> {
    const name = requireRoomName(room);
    this.#checkOpen();
    if (!this.#rooms.has(name)) throw notJoined(name);
    const again = options.again ?? false;
    return this.#outbox.add({ type: 'say', room: name, again, ...this.#message(body, options) });
  }

  async tell(to: string, body: string, options: SayOptions = {}): Promise<Receipt> {
    const name = requireUserName(to);
    this.#checkOpen();
    return this.#outbox.add({ type: 'tell', to: name, ...this.#message(body, options) });
  }

  async join(room: string, options: JoinOptions = {}): Promise<Events['joined']> {
    const name = requireRoomName(room);
    this.#checkOpen();
    return this.#rooms.join(name, options);
  }

  async leave(room: string): Promise<void> {
    await this.#rooms.leave(requireRoomName(room));
  }

  async away(text: string | null): Promise<void> {
    const words = short('text', text, MAX_REASON_BYTES);
    await this.ask({ type: 'away', text: words });
    this.#away = words;
  }

  async publish(body: string, options: SayOptions = {}): Promise<Receipt> {
    this.#checkOpen();
    return this.#outbox.add({ type: 'publish', ...this.#message(body, options) });
  }

  override async names(room: string): Promise<readonly MemberRow[]> {
    const name = requireRoomName(room);
    const tell = (members: readonly MemberRow[]): void => this.#events.push({ type: 'members', room: name, members });
    // Told at once: presence that came in the same packet would overtake a promise.
    const rows = await this.ask({ type: 'names', room: name }, (answer) => tell(membersIn(answer)));
    return membersIn(rows);
  }

  async rotateCode(room: string): Promise<string> {
    const name = requireRoomName(room);
    const rows = await this.ask({ type: 'code', room: name });
    const answer = rows.find((row) => row.type === 'code');
    if (answer === undefined) throw new BcastError('BAD_MESSAGE', { cause: new Error('no code') });
    this.#codes.learn(name, answer.code);
    return answer.code;
  }

  codeOf(room: string): string | null {
    return this.#codes.of(requireRoomName(room));
  }

  inviteUrl(room: string): string {
    const { address, trustee } = this.#settings.link;
    const name = requireRoomName(room);
    return inviteUrl(addressKey(address), trustee.fingerprint, name, this.#codes.of(name));
  }

  async invite(room: string, name: string): Promise<void> {
    const to = requireRoomName(room);
    await this.ask({ type: 'invite', room: to, name: requireUserName(name), code: this.#codes.of(to) });
  }

  markRead(room: string, seq: number): void {
    this.#marks.read(requireRoomName(room), seq);
  }

  async close({ drainTimeoutMs = 0 }: { readonly drainTimeoutMs?: number } = {}): Promise<void> {
    if (drainTimeoutMs > 0) {
      const late = Promise.withResolvers<void>();
      const timer = this.#settings.clock.after(drainTimeoutMs, late.resolve);
      await Promise.race([this.#outbox.empty(), late.promise]);
      timer.cancel();
    }
    this.#marks.flush();
    await this.#link.close();
  }

  #onOnline(link: Link, isReconnect: boolean): void {
    this.#name = link.welcome.name;
    this.#maxBodyBytes = link.welcome.maxBodyBytes;
    // A new session is not away, whatever the old one was.
    if (isReconnect && this.#away !== null) link.ask({ type: 'away', text: this.#away }, () => undefined);
    this.#rooms.online();
    this.#outbox.attach(link);
  }

  #onOffline(): void {
    this.#rooms.offline();
    this.#outbox.detach();
  }

  #onClosed(error: BcastError): void {
    this.#rooms.close(error);
    this.#outbox.detach();
    this.#outbox.rejectAll(error);
    this.#events.end();
  }

  #onEvent(event: Event): void {
    switch (event.type) {
      case 'message':
        this.#rooms.take(event);
        return;
      case 'lagged':
        this.#rooms.lagged(event);
        return;
      case 'removed':
        this.#rooms.removed(event);
        return;
      case 'renamed':
        this.#name = event.name;
        this.#events.push(event);
        return;
      case 'invited':
        if (event.code !== null) this.#codes.hear(event.room, event.code);
        this.#events.push(event);
        return;
      case 'private':
      case 'published':
      case 'unstored':
      case 'presence':
      case 'typing':
      case 'topic':
        this.#events.push(event);
        return;
      default:
        // Answers carry a request's number and come another way.
        return;
    }
  }

  /** What comes from a room. A message of ours may be seen there before its own answer, after a cut. */
  #emit(event: ClientEvent): void {
    if (event.type === 'message' && event.fp === this.#fingerprint) this.#outbox.confirm(event.id, event);
    this.#events.push(event);
  }

  #onSent(message: Outgoing, receipt: Receipt): void {
    this.#events.push({ type: 'sent', id: receipt.id, receipt });
    const { seq, ts } = receipt;
    if (message.type !== 'say' || seq === null) return;
    const { id, kind, body, room } = message;
    this.#rooms.takeOwn(room, { seq, ts, from: this.#name, fp: this.#fingerprint, id, kind, body });
  }

  get #fingerprint(): string {
    return this.#settings.link.identity.fingerprint;
  }

  #message(body: string, { kind = 'text', id }: SayOptions): Pick<Outgoing, 'id' | 'kind' | 'body'> {
    if (!body.isWellFormed())
      throw new BcastError('BAD_REQUEST', { text: 'The text has half a surrogate pair in it.' });
    const bytes = utf8Length(body);
    if (bytes > this.#maxBodyBytes) {
      const text = `The message has ${bytes} bytes; this server takes at most ${this.#maxBodyBytes}.`;
      throw new BcastError('MESSAGE_TOO_LARGE', { text });
    }
    return { id: this.#idOf(id), kind, body };
  }

  #idOf(id: MessageId | undefined): MessageId {
    const { clock, link } = this.#settings;
    if (id === undefined) return newMessageId(clock.nowMs(), (count) => link.crypto.randomBytes(count));
    if (!/^[0-9a-f]{32}$/.test(id))
      throw new BcastError('BAD_REQUEST', { text: 'An id is 32 hex digits in lower case.' });
    return id;
  }

  #checkOpen(): void {
    const { status } = this;
    if (status.state === 'closed') throw status.error ?? new BcastError('CLOSED');
  }

  protected ask(ask: Ask, onRows?: (rows: readonly Event[]) => void): Promise<readonly Event[]> {
    return new Promise((resolve, reject) => {
      this.#link.ask(ask, (answer) => {
        if (answer instanceof BcastError) return reject(answer);
        onRows?.(answer.rows);
        resolve(answer.rows);
      });
    });
  }
}

const OVERFLOWN = 'This program has left too many events unread.';
