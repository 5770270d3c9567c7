import { BcastError } from '../errors.ts';
import type { Events } from '../protocol/messages.ts';
import { type NameKey, nameKey, type RoomName } from '../protocol/names.ts';
import type { Answer, Ask, Settle } from './connection.ts';
import type { ClientEvent, RoomMessage } from './events.ts';
import { type Backlog, RoomLine } from './room-line.ts';

export interface JoinOptions {
  /** What was said before to begin with; none by default. */
  readonly backlog?: Backlog | undefined;
  /** Whether to be told who comes, goes, is away and types. */
  readonly watch?: boolean | undefined;
}

export interface RoomsOptions {
  /** Asks on the link there is. */
  readonly ask: (ask: Ask, settle: Settle) => void;
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
  join(name: RoomName, { backlog, watch = false }: JoinOptions): Promise<Events['joined']> {
    const present = this.#memberships.get(nameKey(name));
    if (present !== undefined) return present.told.promise;
    const told = Promise.withResolvers<Events['joined']>();
    // Whoever joined may not wait for it.
    told.promise.catch(() => undefined);
    const line = new RoomLine(name, {
      emit: this.#options.emit,
      fetch: (query, settle) => this.#options.ask({ type: 'history', room: name, ...query }, settle),
      onCaughtUp: () => membership.banner && told.resolve(membership.banner),
      onFailure: this.#options.onFailure,
    });
    if (this.#isHeld) line.hold();
    const membership: Membership = { name, watch, backlog, line, told, banner: undefined, isIn: false };
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

  #enter(membership: Membership): void {
    const { name, watch } = membership;
    this.#options.ask({ type: 'join', room: name, watch, code: null, create: null }, (answer) => {
      if (this.#memberships.get(nameKey(name)) !== membership) return;
      if (answer instanceof BcastError) this.#onRefused(membership, answer);
      else this.#onEntered(membership, answer);
    });
  }

  #onEntered(membership: Membership, { rows }: Answer): void {
    const banner = rows.find((row) => row.type === 'joined');
    if (banner === undefined) throw new BcastError('BAD_MESSAGE', { cause: new Error('no banner') });
    const isRejoin = membership.banner !== undefined;
    membership.banner = banner;
    membership.isIn = true;
    this.#options.emit({ type: 'joined', room: banner.room, banner, isRejoin });
    membership.line.enter(banner, membership.backlog);
    this.#options.onOpen();
  }

  #onRefused(membership: Membership, error: BcastError): void {
    // All rooms are entered again on the next link.
    if (error.code === 'CONNECTION_LOST' || error.code === 'CLOSED') return;
    const wasIn = membership.banner !== undefined;
    if (wasIn && error.retry) {
      this.#options.onFailure(error);
      return;
    }
    this.#remove(membership, error);
    if (wasIn) this.#options.emit({ type: 'left', room: membership.banner?.room ?? membership.name, error });
  }

  #remove({ name, line, told }: Membership, error: BcastError): void {
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

/** Whether somebody who wanted to leave is out by this. */
function isOut({ code }: BcastError): boolean {
  return code === 'CONNECTION_LOST' || code === 'CLOSED' || code === 'NOT_A_MEMBER';
}

function removalError({ removal, room, by, reason, untilMs }: Events['removed']): BcastError {
  const code = removal === 'ban' ? 'ROOM_BANNED' : 'ROOM_KICKED';
  const text = `You were ${removal === 'ban' ? 'banned' : 'kicked'} from ${room} by ${by}${reason === null ? '' : `: ${reason}`}.`;
  return new BcastError(code, { text, untilMs: untilMs ?? undefined });
}
