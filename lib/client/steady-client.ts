import { BcastError } from '../errors.ts';
import { MAX_NAME_CHARS, MAX_PAGE_MESSAGES, MAX_REASON_BYTES, MAX_TOPIC_BYTES } from '../limits.ts';
import type { BanRow, Event, Events, MemberRow, MessageId, PastMessage, RoomRow } from '../protocol/messages.ts';
import { type RoomName, requireRoomName, requireUserName, type UserName } from '../protocol/names.ts';
import { utf8Length } from '../protocol/text.ts';
import type { Client, HistoryQuery, SayOptions } from './client.ts';
import type { Ask } from './connection.ts';
import { EventQueue } from './event-queue.ts';
import type { ClientEvent, ConnectionStatus, Receipt, RoomMessage } from './events.ts';
import type { Link } from './link.ts';
import { newMessageId } from './message-id.ts';
import { Outbox, type Outgoing } from './outbox.ts';
import { type JoinOptions, notJoined, Rooms } from './rooms.ts';
import type { Settings } from './settings.ts';
import { SteadyLink } from './steady-link.ts';

/** The client behind `connect`: puts together what it is made of, and is the door to it. */
export class SteadyClient implements Client {
  readonly #settings: Settings;
  readonly #events: EventQueue;
  readonly #outbox: Outbox;
  readonly #rooms: Rooms;
  readonly #link: SteadyLink;
  #name: UserName;
  #maxBodyBytes = 0;
  #away: string | null = null;

  constructor(settings: Settings) {
    const { name, onEvent, clock } = settings;
    this.#settings = settings;
    this.#name = name;
    this.#events = new EventQueue({
      // The connection itself is read on: the answer that the reader may be waiting for comes the same way.
      onPressure: (isFull) => this.#rooms.setHeld(isFull),
      onOverflow: () => this.#link.link?.fail(new BcastError('SLOW_READER', { text: OVERFLOWN })),
    });
    if (onEvent !== undefined) this.#events.subscribe(onEvent);
    const onSlowDown = (retryAfterMs: number): void => this.#events.push({ type: 'slowDown', retryAfterMs });
    this.#link = new SteadyLink(settings, {
      name: () => this.#name,
      onStatus: (status) => this.#events.push({ type: 'status', status }),
      onOnline: (link, isReconnect) => this.#onOnline(link, isReconnect),
      onOffline: () => this.#onOffline(),
      onClosed: (error) => this.#onClosed(error ?? new BcastError('CLOSED')),
      onEvent: (event) => this.#onEvent(event),
      onLatency: (roundTripMs) => this.#events.push({ type: 'latency', roundTripMs }),
      onSlowDown,
    });
    this.#outbox = new Outbox({
      clock,
      isOpen: (room) => this.#rooms.isOpen(room),
      onSent: (message, receipt) => this.#onSent(message, receipt),
      onSlowDown,
    });
    this.#rooms = new Rooms({
      ask: (ask, settle) => this.#link.ask(ask, settle),
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

  async nick(name: string): Promise<void> {
    await this.#ask({ type: 'nick', name: requireUserName(name) });
  }

  async topic(room: string, topic: string | null): Promise<void> {
    await this.#ask({ type: 'topic', room: requireRoomName(room), topic: short('topic', topic, MAX_TOPIC_BYTES) });
  }

  async away(text: string | null): Promise<void> {
    const words = short('text', text, MAX_REASON_BYTES);
    await this.#ask({ type: 'away', text: words });
    this.#away = words;
  }

  async typing(room: string): Promise<void> {
    await this.#ask({ type: 'typing', room: requireRoomName(room) });
  }

  async names(room: string): Promise<readonly MemberRow[]> {
    const name = requireRoomName(room);
    const tell = (members: readonly MemberRow[]): void => this.#events.push({ type: 'members', room: name, members });
    // Told at once: presence that came in the same packet would overtake a promise.
    const rows = await this.#ask({ type: 'names', room: name }, (answer) => tell(membersIn(answer)));
    return membersIn(rows);
  }

  async rooms(): Promise<readonly RoomRow[]> {
    const rows = await this.#ask({ type: 'rooms' });
    return rows.flatMap((row) => (row.type === 'rooms' ? row.rooms : []));
  }

  async whois(name: string): Promise<Events['user']> {
    const rows = await this.#ask({ type: 'whois', name: requireUserName(name) });
    const user = rows.find((row) => row.type === 'user');
    if (user === undefined) throw new BcastError('BAD_MESSAGE', { cause: new Error('no user') });
    return user;
  }

  async history(room: string, { beforeSeq, limit }: HistoryQuery): Promise<readonly RoomMessage[]> {
    const name = requireRoomName(room);
    let messages: readonly PastMessage[] = [];
    while (messages.length < limit) {
      const before = messages[0]?.seq ?? beforeSeq ?? null;
      const count = Math.min(MAX_PAGE_MESSAGES, limit - messages.length);
      const rows = await this.#ask({ type: 'history', room: name, after: null, before, sinceMs: null, limit: count });
      const page = rows.flatMap((row) => (row.type === 'history' ? row.messages : []));
      messages = [...page, ...messages];
      if (page.length < count) break;
    }
    return messages.map((past) => ({ ...past, type: 'message', room: name, isHistory: true }));
  }

  async kick(room: string | null, name: string, reason?: string): Promise<void> {
    const words = short('reason', reason ?? null, MAX_REASON_BYTES);
    await this.#ask({ type: 'kick', room: roomOrNull(room), name: requireUserName(name), reason: words });
  }

  async ban(room: string | null, target: string, durationMs: number | null, reason?: string): Promise<void> {
    const words = short('reason', reason ?? null, MAX_REASON_BYTES);
    const whom = short('target', target, MAX_TARGET_BYTES);
    await this.#ask({ type: 'ban', room: roomOrNull(room), target: whom, penalty: 'ban', durationMs, reason: words });
  }

  async unban(room: string | null, target: string): Promise<void> {
    const whom = short('target', target, MAX_TARGET_BYTES);
    await this.#ask({ type: 'unban', room: roomOrNull(room), target: whom, penalty: 'ban' });
  }

  async bans(room: string | null): Promise<readonly BanRow[]> {
    const rows = await this.#ask({ type: 'bans', room: roomOrNull(room), penalty: 'ban' });
    return rows.flatMap((row) => (row.type === 'bans' ? row.bans : []));
  }

  async close({ drainTimeoutMs = 0 }: { readonly drainTimeoutMs?: number } = {}): Promise<void> {
    if (drainTimeoutMs > 0) {
      const late = Promise.withResolvers<void>();
      const timer = this.#settings.clock.after(drainTimeoutMs, late.resolve);
      await Promise.race([this.#outbox.empty(), late.promise]);
      timer.cancel();
    }
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
      case 'private':
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

  /** The rows of the answer; `onRows` has them in the very turn in which they come. */
  #ask(ask: Ask, onRows?: (rows: readonly Event[]) => void): Promise<readonly Event[]> {
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
const MAX_TARGET_BYTES = MAX_NAME_CHARS * 4;

function membersIn(rows: readonly Event[]): readonly MemberRow[] {
  return rows.flatMap((row) => (row.type === 'members' ? row.members : []));
}

function roomOrNull(room: string | null): RoomName | null {
  return room === null ? null : requireRoomName(room);
}

/** Throws BAD_REQUEST for what the server would take for a broken message, and close the connection over. */
function short<T extends string | null>(what: string, text: T, maxBytes: number): T {
  if (text !== null && utf8Length(text) > maxBytes) {
    throw new BcastError('BAD_REQUEST', { text: `The ${what} is longer than ${maxBytes} bytes.` });
  }
  return text;
}
