import type { Clock } from '../clock.ts';
import { BcastError } from '../errors.ts';
import { ROOM_CODE_CHARS } from '../limits.ts';
import type { Access, Events } from '../protocol/messages.ts';
import { type NameKey, nameKey, type RoomName } from '../protocol/names.ts';
import { utf8Length } from '../protocol/text.ts';
import type { Answer, Ask, Settle } from './connection.ts';
import type { ClientEvent, RoomMessage } from './events.ts';
import type { Marks } from './marks.ts';
import type { RoomCodes } from './room-codes.ts';
import { type Backlog, RoomLine } from './room-line.ts';

export interface JoinOptions {
  /** What was said before to begin with; none by default. */
  readonly backlog?: Backlog | undefined;
  /** Whether to be told who comes, goes, is away and types. */
  readonly watch?: boolean | undefined;
  /** Of a locked room. It is remembered, and so is the one that the server makes for a room created locked. */
  readonly code?: string | undefined;
  /** Only make the room, so; ROOM_EXISTS when it is there already. */
  readonly create?: Access | undefined;
  /** Whether to tell the server how far messages have got here, which their senders may ask; true by default. */
  readonly marks?: boolean | undefined;
}

export interface RoomsOptions {
  /** Asks on the link there is, for as long as it takes. */
  readonly ask: (ask: Ask, settle: Settle) => void;
  readonly clock: Clock;
  readonly codes: RoomCodes;
  readonly marks: Marks;
  readonly emit: (event: ClientEvent) => void;
  /** Messages may be sent to that room now. */
  readonly onOpen: () => void;
  /** This client is out of the room, or never got in. */
  readonly onOut: (room: RoomName, error: BcastError) => void;
  /** The server is there but cannot do what it must; to be tried again on another link. */
  readonly onFailure: (error: BcastError) => void;
}

/** A room this client wants to be in. */
interface Membership {
  readonly name: RoomName;
  readonly watch: boolean;
  readonly backlog: Backlog | undefined;
  readonly hasMarks: boolean;
  /** How it is to be made; null once it is. */
  create: Access | null;
  readonly line: RoomLine;
  /** For who joined: settled when the backlog has been told, or it is certain that it will not be. */
  readonly told: PromiseWithResolvers<Events['joined']>;
  /** What the server said last on letting us in. */
  banner: Events['joined'] | undefined;
  /** Whether the server counts us in, on the link there is. */
  isIn: boolean;
}

/** The rooms a client is in, over all its connections: it enters them again on each. */
export class Rooms {
  readonly #options: RoomsOptions;
  readonly #memberships = new Map<NameKey, Membership>();
  #isHeld = false;

  constructor(options: RoomsOptions) {
    this.#options = options;
  }

  has(room: RoomName): boolean {
    return this.#memberships.has(nameKey(room));
  }

  /** Whether messages to that room may be sent now. */
  isOpen(room: NameKey): boolean {
    return this.#memberships.get(room)?.isIn ?? false;
  }

  /** Enters the room now, or as soon as there is a link. Rejects when the server refuses for good, or on `leave` and `close`. */
  join(name: RoomName, options: JoinOptions): Promise<Events['joined']> {
    const { backlog, watch = false, code, create = null, marks = true } = options;
    const present = this.#memberships.get(nameKey(name));
    if (present !== undefined) return create === null ? present.told.promise : Promise.reject(isThere(name));
    // It would not even fit into a request.
    if (code !== undefined && utf8Length(code) > ROOM_CODE_CHARS * 4) return Promise.reject(new BcastError('BAD_CODE'));
    if (code !== undefined) this.#options.codes.learn(name, code);
    const told = Promise.withResolvers<Events['joined']>();
    // Whoever joined may not wait for it.
    told.promise.catch(() => undefined);
    const line = new RoomLine(name, {
      emit: (event) => this.#emitLine(event),
      fetch: (query, settle) => this.#options.ask({ type: 'history', room: name, ...query }, settle),
      onCaughtUp: () => membership.banner && told.resolve(membership.banner),
      onFailure: this.#options.onFailure,
    });
    if (this.#isHeld) line.hold();
    const start = { banner: undefined, isIn: false };
    const membership: Membership = { name, watch, backlog, hasMarks: marks, create, line, told, ...start };
    this.#memberships.set(nameKey(name), membership);
    this.#enter(membership);
    return told.promise;
  }

  /** Throws NOT_A_MEMBER when this client is not in the room; otherwise it is out at once. */
  leave(room: RoomName): Promise<void> {
    const membership = this.#memberships.get(nameKey(room));
    if (membership === undefined) return Promise.reject(notJoined(room));
    const { name, banner } = membership;
    this.#remove(membership, notJoined(room));
    return new Promise((resolve, reject) => {
      this.#options.ask({ type: 'leave', room: name }, (answer) => {
        if (answer instanceof BcastError && !isOut(answer)) {
          reject(answer);
          return;
        }
        this.#options.emit({ type: 'left', room: banner?.room ?? name });
        resolve();
      });
    });
  }

  /** There is a link: enters all rooms on it. */
  online(): void {
    for (const membership of [...this.#memberships.values()]) this.#enter(membership);
  }

  offline(): void {
    this.#options.marks.offline();
    for (const membership of this.#memberships.values()) membership.isIn = false;
  }

  /** Whether messages are kept back, because whoever reads them has enough for now. */
  setHeld(isHeld: boolean): void {
    this.#isHeld = isHeld;
    for (const { line } of [...this.#memberships.values()]) {
      if (isHeld) line.hold();
      else line.go();
    }
  }

  close(error: BcastError): void {
    for (const { line, told } of this.#memberships.values()) {
      line.close();
      told.reject(error);
    }
    this.#memberships.clear();
  }

  /** A live message of somebody else. */
  take(message: Events['message']): void {
    this.#memberships.get(nameKey(message.room))?.line.take({ ...message, isHistory: false });
  }

  /** A message of ours that was acknowledged. */
  takeOwn(room: RoomName, message: Omit<RoomMessage, 'type' | 'room' | 'isHistory'>): void {
    const membership = this.#memberships.get(nameKey(room));
    const name = membership?.banner?.room ?? room;
    membership?.line.take({ ...message, type: 'message', room: name, isHistory: false });
  }

  lagged(event: Events['lagged']): void {
    this.#options.emit(event);
    this.#memberships.get(nameKey(event.room))?.line.lag();
  }

  removed(event: Events['removed']): void {
    const membership = this.#memberships.get(nameKey(event.room));
    this.#options.emit(event);
    if (membership !== undefined) this.#remove(membership, removalError(event));
  }

  #emitLine(event: ClientEvent): void {
    const { marks, emit } = this.#options;
    if (event.type === 'message') marks.deliver(event.room, event.seq);
    else if (event.type === 'gap') marks.deliver(event.room, event.last);
    else if (event.type === 'forgotten') marks.restart(event.room);
    emit(event);
  }

  #enter(membership: Membership): void {
    const { name, watch, create } = membership;
    const code = this.#options.codes.of(name);
    this.#options.ask({ type: 'join', room: name, watch, code, create }, (answer) => {
      if (!this.#isCurrent(membership)) return;
      if (answer instanceof BcastError) this.#onRefused(membership, answer, code);
      else this.#onEntered(membership, answer);
    });
  }

  #onEntered(membership: Membership, { rows }: Answer): void {
    const banner = rows.find((row) => row.type === 'joined');
    if (banner === undefined) throw new BcastError('BAD_MESSAGE', { cause: new Error('no banner') });
    const isRejoin = membership.banner !== undefined;
    membership.banner = banner;
    membership.isIn = true;
    membership.create = null;
    if (banner.code !== null) this.#options.codes.learn(banner.room, banner.code);
    if (membership.hasMarks) this.#options.marks.enter(banner.room, banner.members);
    this.#options.emit({ type: 'joined', room: banner.room, banner, isRejoin });
    membership.line.enter(banner, membership.backlog);
    this.#options.onOpen();
  }

  #onRefused(membership: Membership, error: BcastError, tried: string | null): void {
    // All rooms are entered again on the next link.
    if (error.code === 'CONNECTION_LOST' || error.code === 'CLOSED') return;
    const wasIn = membership.banner !== undefined;
    if (wasIn && error.retry) {
      this.#options.onFailure(error);
      return;
    }
    if (error.code === 'BAD_CODE' && this.#mayTryAgain(membership, error, tried)) return;
    this.#remove(membership, error);
    if (wasIn) this.#options.emit({ type: 'left', room: membership.banner?.room ?? membership.name, error });
  }

  /** Whether there is another code to try, or this one was not even looked at. */
  #mayTryAgain(membership: Membership, { retryAfterMs }: BcastError, tried: string | null): boolean {
    const { codes, clock } = this.#options;
    const { name, banner } = membership;
    // While others from our address guess, the server takes no code from any of us.
    if (retryAfterMs !== undefined) {
      if (banner === undefined) return false;
      clock.after(retryAfterMs, () => {
        if (this.#isCurrent(membership) && !membership.isIn) this.#enter(membership);
      });
      return true;
    }
    codes.discard(name, tried);
    const other = codes.of(name);
    if (other === null || other === tried) return false;
    this.#enter(membership);
    return true;
  }

  #isCurrent(membership: Membership): boolean {
    return this.#memberships.get(nameKey(membership.name)) === membership;
  }

  #remove({ name, line, told }: Membership, error: BcastError): void {
    this.#options.marks.leave(name);
    this.#memberships.delete(nameKey(name));
    line.close();
    told.reject(error);
    this.#options.onOut(name, error);
  }
}

/** Thrown for a room this client has not joined. */
export function notJoined(room: RoomName): BcastError {
  return new BcastError('NOT_A_MEMBER', { text: `This client is not in the room ${room}.` });
}

function isThere(room: RoomName): BcastError {
  return new BcastError('ROOM_EXISTS', { text: `This client is in the room ${room} already.` });
}

/** Whether somebody who wanted to leave is out by this. */
function isOut({ code }: BcastError): boolean {
  return code === 'CONNECTION_LOST' || code === 'CLOSED' || code === 'NOT_A_MEMBER';
}

function removalError({ removal, room, by, reason, untilMs }: Events['removed']): BcastError {
  const code = removal === 'ban' ? 'ROOM_BANNED' : 'ROOM_KICKED';
  const text = `You were ${removal === 'ban' ? 'banned' : 'kicked'} from ${room} by ${by}${reason === null ? '' : `: ${reason}`}.`;
  return new BcastError(code, { text, untilMs: untilMs ?? undefined });
}
