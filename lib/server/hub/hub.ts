import type { Clock } from '../../clock.ts';
import { BcastError, toBcastError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import type { Events, Fingerprint, Request, Requests } from '../../protocol/messages.ts';
import { type NameKey, nameKey, type UserName } from '../../protocol/names.ts';
import { Bans } from './bans.ts';
import { leaveRoom } from './commands/leave.ts';
import { checkRate, checkServerBan, REQUEST_BYTES } from './gate.ts';
import { HANDLERS, type Handler } from './handlers.ts';
import type { Outbox, Store, Turn } from './ports.ts';
import { Presence } from './presence.ts';
import { Publisher } from './publisher.ts';
import { RateLimit, type RateLimits } from './rate-limit.ts';
import { Recent } from './recent.ts';
import { errorEvent } from './refusal.ts';
import { Rooms } from './rooms.ts';
import { type User, Users } from './user.ts';
import { UserSession } from './user-session.ts';

export interface HubLimits extends RateLimits {
  readonly maxBodyBytes: number;
  readonly maxSessionsPerUser: number;
  readonly maxRoomsPerUser: number;
  readonly maxMembersPerRoom: number;
  readonly maxRooms: number;
  readonly emptyRoomTtl: number;
  readonly idleTimeout: number;
}

export interface HubOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly turn: Turn;
  readonly log: Logger;
  readonly limits: HubLimits;
  readonly admins: readonly Fingerprint[];
  readonly motd: string | undefined;
  /** For people: the program and its version. */
  readonly serverName: string;
}

/** Who wants to come in; the identity has been proven by the handshake. */
export interface Arrival {
  readonly hello: Requests['hello'];
  readonly fp: Fingerprint;
  readonly address: string;
  readonly outbox: Outbox;
}

/** All users and rooms of this node, and what may be asked of them. Knows no socket and no key. */
export class Hub {
  readonly clock: Clock;
  readonly log: Logger;
  readonly store: Store;
  readonly limits: HubLimits;
  readonly users: Users;
  readonly rooms: Rooms;
  readonly bans = new Bans();
  readonly presence: Presence;
  readonly publisher: Publisher;
  /** Private messages sent lately, so that a resent one is answered and not delivered again. */
  readonly recentTells = new Recent<string, number>(8_192);
  readonly #options: HubOptions;

  constructor(options: HubOptions) {
    const { clock, limits, log, store, turn } = options;
    this.#options = options;
    this.clock = clock;
    this.log = log;
    this.store = store;
    this.limits = limits;
    this.users = new Users({
      maxSessionsPerUser: limits.maxSessionsPerUser,
      newUser: (name, fp) => this.#newUser(name, fp),
    });
    this.rooms = new Rooms(store, clock, limits, (error) => log.error({ err: error }, 'a room could not be forgotten'));
    this.presence = new Presence(turn, clock);
    this.publisher = new Publisher(
      store,
      turn,
      (error) => log.error({ err: error }, 'messages could not be stored'),
      (room) => this.rooms.settle(room),
    );
  }

  /** Lets a session in, or throws; nobody hears of a refused one. */
  enter({ hello, fp, address, outbox }: Arrival): UserSession {
    checkServerBan(this, { nameKey: nameKey(hello.name), fp, address });
    const user = this.users.claim(hello.name, fp);
    const session = new UserSession(user, address, outbox);
    user.sessions.add(session);
    session.tell(this.#welcome(user, hello.req));
    session.ok(hello.req);
    return session;
  }

  /**
   * Does what a session asks and answers it with one `ok` or `error`. A promise when that takes longer than this call;
   * the session's next request must wait for it. Never throws or rejects.
   */
  handle(session: UserSession, request: Request): undefined | Promise<void> {
    try {
      checkRate(this, session, request);
      const handler = HANDLERS[request.type] as Handler<Request>;
      if (mustWait(session, request)) return this.#handleSettled(session, request, handler);
      const work = handler(this, session, request);
      if (work === undefined) return undefined;
      return work.catch((error: unknown) => this.#refuse(session, request, error));
    } catch (error) {
      this.#refuse(session, request, error);
      return undefined;
    }
  }

  /** The session is gone, for whatever reason. */
  exit(session: UserSession): void {
    if (session.isGone) return;
    session.isGone = true;
    for (const member of session.rooms.values()) leaveRoom(this, member);
    session.user.sessions.delete(session);
    this.users.release(session.user);
  }

  /** Charges a session for a request that could not even be read. */
  isTooFast({ user }: UserSession): boolean {
    return user.rate.take(REQUEST_BYTES) > 0;
  }

  /** What a banned address is told before there is anybody to tell it to; undefined for all others. */
  addressRefusal(address: string): BcastError | undefined {
    const nowMs = this.clock.nowMs();
    const ban = this.bans.matchAddress(address, nowMs);
    if (ban === undefined) return undefined;
    const { untilMs } = ban;
    return new BcastError('BANNED', untilMs === null ? {} : { untilMs, retryAfterMs: untilMs - nowMs });
  }

  /** Closes every session of a user. */
  expel(user: User, error: BcastError): void {
    for (const session of [...user.sessions]) {
      session.outbox.end(error);
      this.exit(session);
    }
  }

  async #handleSettled(session: UserSession, request: Request, handler: Handler<Request>): Promise<void> {
    try {
      await session.settled();
      if (!session.isGone) await handler(this, session, request);
    } catch (error) {
      this.#refuse(session, request, error);
    }
  }

  #refuse(session: UserSession, request: Request, thrown: unknown): void {
    const error = toBcastError(thrown);
    if (error.code === 'INTERNAL')
      this.log.error({ err: error.cause ?? error, request: request.type }, 'request failed');
    session.tell(errorEvent(error, request.req));
  }

  #newUser(name: UserName, fp: Fingerprint): User {
    return {
      name,
      key: nameKey(name) as NameKey,
      fp,
      isAdmin: this.#options.admins.includes(fp),
      sessions: new Set(),
      rate: new RateLimit(this.limits, this.clock),
      away: null,
      sinceMs: this.clock.nowMs(),
      activeMs: this.clock.monotonicMs(),
    };
  }

  #welcome(user: User, req: number): Events['welcome'] {
    const { limits, motd, serverName } = this.#options;
    return {
      type: 'welcome',
      req,
      name: user.name,
      role: user.isAdmin ? 'admin' : 'member',
      registered: false,
      server: serverName,
      maxBodyBytes: limits.maxBodyBytes,
      idleTimeoutMs: limits.idleTimeout,
      motd: motd ?? null,
    };
  }
}

/** A request is done when all that the same session sent before it is; only messages may follow each other at once. */
function mustWait(session: UserSession, { type }: Request): boolean {
  return type === 'say' ? session.isSaturated : !session.isSettled;
}
