import { BcastError, toBcastError } from '../errors.ts';
import type { BanRow, Event, Events, MemberRow, RoomRow } from '../protocol/messages.ts';
import { type NameKey, nameKey, type RoomName, requireRoomName, requireUserName, type UserName } from '../protocol/names.ts';
import type { Client, JoinOptions, SayOptions } from './client.ts';
import type { Answer, Ask } from './connection.ts';
import { EventQueue } from './event-queue.ts';
import type { ClientEvent, ConnectionStatus, Receipt, RoomMessage } from './events.ts';
import { type Link, openLink } from './link.ts';
import { newMessageId } from './message-id.ts';
import { Outbox, type Outgoing } from './outbox.ts';
import { reconnectDelayMs } from './reconnect.ts';
import { type Backlog, notJoined, pastMessages, RoomLine } from './room-line.ts';
import type { Settings } from './settings.ts';

/** A server that is busy is asked again when the first connection is made, if it says to wait no longer than this. */
const MAX_FIRST_WAIT_MS = 30_000;
const MAX_BODY_UNTIL_KNOWN = 16_384;

interface JoinedRoom {
  readonly name: RoomName;
  readonly watch: boolean;
  readonly line: RoomLine;
}

interface Entrance {
  readonly banner: Promise<Events['joined']>;
  readonly told: Promise<void>;
}

/** The client behind `connect`: one link at a time, and what outlives it. */
export class SteadyClient implements Client {
  readonly #settings: Settings;
  readonly #events: EventQueue;
  readonly #outbox: Outbox;
  readonly #rooms = new Map<NameKey, JoinedRoom>();
  #link: Link | undefined;
  #name: UserName;
  #status: ConnectionStatus = { state: 'connecting' };
  #attempt = 0;
  #wasOnline = false;
  #pauses = 0;
  /** A client is something to wait for: timers of the clock do not keep a process running, this does. */
  #keepAlive: NodeJS.Timeout | undefined;
  #whenDrained: (() => void) | undefined;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#name = settings.name;
    this.#events = new EventQueue((isFull) => (isFull ? this.pause() : this.resume()));
    if (settings.onEvent !== undefined) this.#events.subscribe(settings.onEvent);
    this.#outbox = new Outbox({
      clock: settings.clock,
      send: (message, settle) => {
        this.#link?.connection.send(message, settle);
        return this.#link !== undefined;
      },
      onSent: (message, receipt) => this.#onSent(message, receipt),
      onSlowDown: (retryAfterMs) => this.#events.push({ type: 'slowDown', retryAfterMs }),
    });
  }

  /** Makes the first connection. Rejects with the reason when that fails. */
  async start(): Promise<void> {
    const startedMs = this.#settings.clock.monotonicMs();
    this.#keepAlive = setInterval(() => undefined, 2 ** 30);
    for (;;) {
      try {
        await this.#goOnline();
        return;
      } catch (thrown) {
        const error = toBcastError(thrown);
        const waited = this.#settings.clock.monotonicMs() - startedMs;
        const waitMs = error.retry ? (error.retryAfterMs ?? Infinity) : Infinity;
        if (waited + waitMs > MAX_FIRST_WAIT_MS) {
          this.#shut(error);
          throw error;
        }
        this.#setStatus({ state: 'offline', error, retryInMs: waitMs, attempt: 1 });
        await new Promise<void>((resolve) => this.#settings.clock.after(waitMs, resolve));
      }
    }
  }

  get status(): ConnectionStatus {
    return this.#status;
  }

  get name(): UserName {
    return this.#name;
  }

  get maxBodyBytes(): number {
    return this.#link?.welcome.maxBodyBytes ?? MAX_BODY_UNTIL_KNOWN;
  }

  get unacknowledged(): number {
    return this.#outbox.size;
  }

  subscribe(listener: (event: ClientEvent) => void): () => void {
    return this.#events.subscribe(listener);
  }

  [Symbol.asyncIterator](): AsyncIterator<ClientEvent> {
    return this.#events.read();
  }

  pause(): void {
    this.#pauses += 1;
    if (this.#pauses === 1) this.#link?.connection.pause();
  }

  resume(): void {
    this.#pauses -= 1;
    if (this.#pauses === 0) this.#link?.connection.resume();
  }

  async say(room: string, body: string, { kind = 'text', id }: SayOptions = {}): Promise<Receipt> {
    const name = requireRoomName(room);
    if (!this.#rooms.has(nameKey(name))) throw notJoined(name);
    return this.#post({ type: 'say', id: id ?? this.#newId(), room: name, kind, body });
  }

  async tell(to: string, body: string, { kind = 'text', id }: SayOptions = {}): Promise<Receipt> {
    return this.#post({ type: 'tell', id: id ?? this.#newId(), to: requireUserName(to), kind, body });
  }

  async join(room: string, { backlog, watch = false }: JoinOptions = {}): Promise<Events['joined']> {
    const name = requireRoomName(room);
    const present = this.#rooms.get(nameKey(name));
    if (present !== undefined) return joinedOf(await this.#ask({ type: 'join', room: name, watch: present.watch }));
    const joined: JoinedRoom = { name, watch, line: this.#newLine(name) };
    this.#rooms.set(nameKey(name), joined);
    try {
      const { banner, told } = this.#enter(joined, backlog, false);
      await Promise.all([banner, told]);
      return await banner;
    } catch (error) {
      // A cut in the middle is mended with all the other rooms; a refusal is final.
      if (toBcastError(error).code !== 'CONNECTION_LOST') this.#rooms.delete(nameKey(name));
      throw error;
    }
  }

  async leave(room: string): Promise<void> {
    const name = requireRoomName(room);
    const joined = this.#rooms.get(nameKey(name));
    if (joined === undefined) throw notJoined(name);
    this.#rooms.delete(nameKey(name));
    if (this.#link !== undefined) await this.#ask({ type: 'leave', room: name });
    this.#events.push({ type: 'left', room: joined.name });
  }

  async nick(name: string): Promise<void> {
    await this.#ask({ type: 'nick', name: requireUserName(name) });
  }

  async topic(room: string, topic: string | null): Promise<void> {
    await this.#ask({ type: 'topic', room: requireRoomName(room), topic });
  }

  async away(text: string | null): Promise<void> {
    await this.#ask({ type: 'away', text });
  }

  async typing(room: string): Promise<void> {
    await this.#ask({ type: 'typing', room: requireRoomName(room) });
  }

  async names(room: string): Promise<readonly MemberRow[]> {
    const { rows } = await this.#ask({ type: 'names', room: requireRoomName(room) });
    return rows.flatMap((row) => (row.type === 'members' ? row.members : []));
  }

  async rooms(): Promise<readonly RoomRow[]> {
    const { rows } = await this.#ask({ type: 'rooms' });
    return rows.flatMap((row) => (row.type === 'rooms' ? row.rooms : []));
  }

  async whois(name: string): Promise<Events['user']> {
    const { rows } = await this.#ask({ type: 'whois', name: requireUserName(name) });
    return required(rows, 'user');
  }

  async history(
    room: string,
    { beforeSeq, limit }: { readonly beforeSeq?: number; readonly limit: number },
  ): Promise<readonly RoomMessage[]> {
    const name = requireRoomName(room);
    const query = { after: null, before: beforeSeq ?? null, sinceMs: null, limit };
    return pastMessages(name, await this.#ask({ type: 'history', room: name, ...query }));
  }

  async kick(room: string | null, name: string, reason?: string): Promise<void> {
    await this.#ask({ type: 'kick', room: roomOrNull(room), name: requireUserName(name), reason: reason ?? null });
  }

  async ban(room: string | null, target: string, durationMs: number | null, reason?: string): Promise<void> {
    await this.#ask({ type: 'ban', room: roomOrNull(room), target, durationMs, reason: reason ?? null });
  }

  async unban(room: string | null, target: string): Promise<void> {
    await this.#ask({ type: 'unban', room: roomOrNull(room), target });
  }

  async bans(room: string | null): Promise<readonly BanRow[]> {
    const { rows } = await this.#ask({ type: 'bans', room: roomOrNull(room) });
    return rows.flatMap((row) => (row.type === 'bans' ? row.bans : []));
  }

  async close({ drainTimeoutMs = 0 }: { readonly drainTimeoutMs?: number } = {}): Promise<void> {
    if (this.#outbox.size > 0 && drainTimeoutMs > 0) {
      await new Promise<void>((resolve) => {
        const timer = this.#settings.clock.after(drainTimeoutMs, resolve);
        this.#whenDrained = () => {
          timer.cancel();
          resolve();
        };
      });
    }
    this.#shut(undefined);
  }

  async #goOnline(): Promise<void> {
    this.#setStatus({ state: 'connecting' });
    let lost: BcastError | undefined;
    const link = await openLink(this.#settings.link, this.#name, {
      onEvent: (event) => this.#onEvent(event),
      onLatency: (roundTripMs) => this.#events.push({ type: 'latency', roundTripMs }),
      onLost: (error) => {
        lost = error;
        if (this.#link !== undefined) this.#onLost(error);
      },
    });
    if (this.#status.state === 'closed') {
      link.close();
      return;
    }
    if (lost !== undefined) throw lost;
    this.#link = link;
    this.#attempt = 0;
    if (this.#pauses > 0) link.connection.pause();
    const { name, role, motd } = link.welcome;
    this.#name = name;
    this.#setStatus({ state: 'online', name, role, motd, server: link.server, isReconnect: this.#wasOnline });
    this.#wasOnline = true;
    await this.#rejoin();
    if (this.#link === link) this.#outbox.release();
  }

  /** Enters all rooms again. What was missed is fetched meanwhile; messages may be said as soon as all are entered. */
  async #rejoin(): Promise<void> {
    const link = this.#link;
    await Promise.all(
      [...this.#rooms.values()].map(async (room) => {
        try {
          // Being in is enough to say something; the backlog comes in its own time.
          await this.#enter(room, undefined, true).banner;
        } catch (thrown) {
          const error = toBcastError(thrown);
          if (this.#link !== link || error.retry) return;
          this.#rooms.delete(nameKey(room.name));
          this.#outbox.rejectRoom(room.name, error);
          this.#events.push({ type: 'left', room: room.name, error });
        }
      }),
    );
  }

  /** The answer to the join, and the end of the backlog; both reject when the connection goes before them. */
  #enter({ name, watch, line }: JoinedRoom, backlog: Backlog | undefined, isRejoin: boolean): Entrance {
    const told = Promise.withResolvers<void>();
    told.promise.catch(() => undefined);
    // In the turn of the answer, so that no live message is told to a line that does not know where it stands.
    const banner = this.#askNow({ type: 'join', room: name, watch }, (answer) => {
      const joined = joinedOf(answer);
      this.#events.push({ type: 'joined', room: joined.room, banner: joined, isRejoin });
      line.enter(joined, backlog).then(told.resolve, told.reject);
      return joined;
    });
    return { banner, told: told.promise };
  }

  #newLine(room: RoomName): RoomLine {
    return new RoomLine({
      room,
      emit: (event) => this.#events.push(event),
      fetch: (query) => this.#ask({ type: 'history', room, ...query }),
    });
  }

  #onEvent(event: Event): void {
    switch (event.type) {
      case 'message':
        this.#rooms.get(nameKey(event.room))?.line.take({ ...event, isHistory: false });
        return;
      case 'renamed':
        this.#name = event.name;
        this.#events.push(event);
        return;
      case 'removed':
        this.#rooms.delete(nameKey(event.room));
        this.#outbox.rejectRoom(event.room, removalError(event));
        this.#events.push(event);
        return;
      case 'private':
      case 'presence':
      case 'typing':
      case 'topic':
      case 'lagged':
        this.#events.push(event);
        return;
      default:
        // Answers carry a request's number and come another way.
        return;
    }
  }

  #onSent(message: Outgoing, receipt: Receipt): void {
    this.#events.push({ type: 'sent', id: receipt.id, receipt });
    const joined = message.type === 'say' ? this.#rooms.get(nameKey(message.room)) : undefined;
    if (message.type === 'say' && joined !== undefined && receipt.seq !== null) {
      const { id, kind, body } = message;
      const { seq, ts } = receipt;
      const fp = this.#settings.link.identity.fingerprint;
      joined.line.take({ type: 'message', room: joined.name, seq, ts, from: this.#name, fp, id, kind, body, isHistory: false });
    }
    if (this.#outbox.size === 0) this.#whenDrained?.();
  }

  #onLost(error: BcastError): void {
    this.#link = undefined;
    this.#outbox.hold();
    this.#comeBack(error);
  }

  #comeBack(error: BcastError): void {
    if (this.#status.state === 'closed') return;
    const { clock, random, reconnect } = this.#settings;
    this.#attempt += 1;
    // After a cut the server may still count the session it has not missed yet.
    const mayRetry = error.retry || error.code === 'TOO_MANY_SESSIONS';
    if (reconnect === null || !mayRetry || this.#attempt > reconnect.maxAttempts) {
      this.#shut(error);
      return;
    }
    const retryInMs = reconnectDelayMs(reconnect, this.#attempt, random, error.retryAfterMs);
    this.#setStatus({ state: 'offline', error, retryInMs, attempt: this.#attempt });
    clock.after(retryInMs, () => {
      if (this.#status.state === 'closed') return;
      this.#goOnline().catch((thrown) => {
        if (this.#link === undefined) this.#comeBack(toBcastError(thrown));
      });
    });
  }

  /** For good. */
  #shut(error: BcastError | undefined): void {
    if (this.#status.state === 'closed') return;
    this.#link?.close();
    this.#link = undefined;
    clearInterval(this.#keepAlive);
    this.#outbox.hold();
    this.#setStatus(error === undefined ? { state: 'closed' } : { state: 'closed', error });
    this.#outbox.rejectAll(error ?? new BcastError('CLOSED'));
    this.#whenDrained?.();
    this.#events.end();
  }

  #setStatus(status: ConnectionStatus): void {
    this.#status = status;
    this.#events.push({ type: 'status', status });
  }

  #post(message: Outgoing): Promise<Receipt> {
    if (this.#status.state === 'closed') return Promise.reject(this.#status.error ?? new BcastError('CLOSED'));
    return this.#outbox.add(message);
  }

  #ask(ask: Ask): Promise<Answer> {
    return this.#askNow(ask, (answer) => answer);
  }

  /** Asks, and makes something of the answer before any later event is told. */
  #askNow<T>(ask: Ask, use: (answer: Answer) => T): Promise<T> {
    const connection = this.#link?.connection;
    if (connection === undefined) {
      return Promise.reject(new BcastError(this.#status.state === 'closed' ? 'CLOSED' : 'CONNECTION_LOST'));
    }
    return new Promise((resolve, reject) => {
      connection.send(ask, (answer) => {
        if (answer instanceof BcastError) reject(answer);
        else resolve(use(answer));
      });
    });
  }

  #newId(): string {
    return newMessageId(this.#settings.clock.nowMs(), (count) => this.#settings.link.crypto.randomBytes(count));
  }
}

function joinedOf({ rows }: Answer): Events['joined'] {
  return required(rows, 'joined');
}

function roomOrNull(room: string | null): RoomName | null {
  return room === null ? null : requireRoomName(room);
}

function required<T extends Event['type']>(rows: readonly Event[], type: T): Extract<Event, { type: T }> {
  const row = rows.find((one) => one.type === type);
  if (row === undefined) throw new BcastError('BAD_MESSAGE', { cause: new Error(`an answer without ${type}`) });
  return row as Extract<Event, { type: T }>;
}

function removalError({ removal, room, by, reason, untilMs }: Events['removed']): BcastError {
  const code = removal === 'ban' ? 'ROOM_BANNED' : 'ROOM_KICKED';
  const text = `You were ${removal === 'ban' ? 'banned' : 'kicked'} from ${room} by ${by}${reason === null ? '' : `: ${reason}`}.`;
  return new BcastError(code, { text, untilMs: untilMs ?? undefined });
}
