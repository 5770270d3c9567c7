import type { Clock, Timer } from '../../clock.ts';
import { BcastError, toBcastError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import type { Fingerprint, Request } from '../../protocol/messages.ts';
import type { NameKey } from '../../protocol/names.ts';
import { type Account, Accounts } from './accounts.ts';
import { Audit } from './audit.ts';
import { CodeGuesses, type GuessLimits } from './code-guesses.ts';
import { leaveRoom } from './commands/leave.ts';
import { type Arrival, enter } from './enter.ts';
import { Followings } from './following.ts';
import { checkRate, REQUEST_BYTES } from './gate.ts';
import { HANDLERS, type Handler } from './handlers.ts';
import { KeptRooms } from './kept-rooms.ts';
import { Login, type LoginLimits } from './login.ts';
import { NetworkState } from './network-state.ts';
import { OtherNodes } from './other-nodes.ts';
import type { Backplane, Secrets, Store, Turn } from './ports.ts';
import { Presence } from './presence.ts';
import { Publisher } from './publisher.ts';
import type { RateLimits } from './rate-limit.ts';
import { Recent } from './recent.ts';
import { errorEvent } from './refusal.ts';
import { Rooms } from './rooms.ts';
import { Turns } from './turns.ts';
import { type User, Users } from './user.ts';
import type { UserSession } from './user-session.ts';

export interface HubLimits extends RateLimits, LoginLimits, GuessLimits {
  readonly maxBodyBytes: number;
  readonly maxSessionsPerUser: number;
  readonly maxNameLength: number;
  readonly maxRoomNameLength: number;
  readonly maxRoomsPerUser: number;
  readonly maxMembersPerRoom: number;
  readonly maxRooms: number;
  readonly maxNamesPerKey: number;
  readonly emptyRoomTtl: number;
  readonly idleTimeout: number;
  readonly pingInterval: number;
}

/** Read at each use, as the limits are: a reload may change them. */
export interface HubSettings {
  readonly admins: readonly Fingerprint[];
  readonly motd: string | undefined;
  /** What anybody is told: how many there are too, what server this is, or nothing. */
  readonly publicStatus: 'full' | 'name' | 'none';
}

export interface HubOptions {
  readonly store: Store;
  readonly backplane: Backplane;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly turn: Turn;
  readonly log: Logger;
  readonly limits: HubLimits;
  readonly settings: HubSettings;
  /** For people: the program and its version. */
  readonly serverName: string;
}

/** How often what is worth no write of its own is saved, in milliseconds. */
const SAVE_INTERVAL_MS = 10_000;

/** All users and rooms of this node, and what may be asked of them. Knows no socket and no key. */
export class Hub {
  readonly clock: Clock;
  readonly log: Logger;
  readonly store: Store;
  readonly backplane: Backplane;
  readonly secrets: Secrets;
  readonly limits: HubLimits;
  readonly settings: HubSettings;
  readonly serverName: string;
  readonly users: Users;
  readonly accounts: Accounts;
  readonly login: Login;
  readonly audit: Audit;
  readonly guesses: CodeGuesses;
  readonly followings: Followings;
  readonly rooms: Rooms;
  readonly keptRooms: KeptRooms;
  readonly network: NetworkState;
  readonly presence: Presence;
  readonly publisher: Publisher;
  /** Private messages and publications sent lately, so that a resent one is answered and not delivered again. */
  readonly recentTells = new Recent<string, number>(8_192);
  /** One at a time: whoever enters or reads on waits for no more than one of them. */
  readonly searches = new Turns(1, 64);
  readonly #startedMs: number;
  #saving: Timer | undefined;
  #tokens = 0;

  constructor(options: HubOptions) {
    const { backplane, clock, limits, log, secrets, serverName, settings, store, turn } = options;
    this.clock = clock;
    this.log = log;
    this.store = store;
    this.backplane = backplane;
    this.secrets = secrets;
    this.limits = limits;
    this.settings = settings;
    this.serverName = serverName;
    this.#startedMs = clock.monotonicMs();
    this.users = new Users(limits);
    this.accounts = new Accounts(store, secrets, () => limits.maxNamesPerKey);
    this.login = new Login({ accounts: this.accounts, clock, limits, backplane, log });
    this.audit = new Audit(store, clock, log);
    this.guesses = new CodeGuesses(clock, limits, backplane);
    this.followings = new Followings(store);
    this.network = new NetworkState(store, clock);
    this.rooms = new Rooms(store, backplane, secrets, clock, limits, {
      onFailure: (error) => log.error({ err: error }, 'a room could not be forgotten'),
    });
    this.keptRooms = new KeptRooms(store, () => limits.maxRoomsPerUser);
    this.presence = new Presence(turn, clock);
    this.publisher = new Publisher({
      store,
      turn,
      clock,
      isShared: !backplane.isAlone,
      onFailure: (error) => log.error({ err: error }, 'messages could not be stored'),
      onSettled: (room) => this.rooms.settle(room),
      onReached: (room, seq) => backplane.tellRoom(room.key, { type: 'reached', seq }),
    });
  }

  /** Reads what the network knows; to be awaited before anybody comes. */
  async start(): Promise<void> {
    await this.backplane.start(new OtherNodes(this));
    try {
      await this.network.load();
    } catch (error) {
      await this.backplane.stop();
      throw error;
    }
    this.#saveLater();
  }

  /** Saves what is not saved at once; to be awaited when everybody has gone. */
  async stop(): Promise<void> {
    this.#saving?.cancel();
    await this.rooms.save();
    await this.backplane.stop();
  }

  /** Lets a session in, or rejects; nobody hears of a refused one. */
  enter(arrival: Arrival): Promise<UserSession> {
    this.#tokens += 1;
    return enter(this, arrival, String(this.#tokens));
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
    const { user } = session;
    user.sessions.delete(session);
    void this.backplane.release(user.key, session.token);
    if (user.sessions.size > 0) return;
    this.users.release(user);
    this.followings.exit(user);
    if (user.account !== null) void this.noteSeen(user.key);
  }

  get uptimeMs(): number {
    return Math.round(this.clock.monotonicMs() - this.#startedMs);
  }

  /** Whether an account, or somebody known by these identities, is an admin of the network. */
  isAdmin(account: Account | null, fps: readonly Fingerprint[]): boolean {
    return account?.isAdmin === true || fps.some((fp) => this.settings.admins.includes(fp));
  }

  /** To be called when the settings have changed: others may be admins now. */
  recheckAdmins(): void {
    for (const user of this.users.all()) user.isAdmin = this.isAdmin(user.account, user.fps);
  }

  /** An account was changed or, with null, removed by the operator: whoever is there under it becomes that, or goes. */
  noteAccount(key: NameKey, account: Account | null): void {
    this.followAccount(key, account);
    this.backplane.tellAll({ type: 'account', key });
  }

  /** Of that, what concerns this node. */
  followAccount(key: NameKey, account: Account | null): void {
    const user = this.users.get(key);
    if (user?.account == null) return;
    if (account === null) {
      this.expel(user, new BcastError('KICKED', { text: `The account ${user.name} was removed.` }));
      return;
    }
    user.account = account;
    user.isAdmin = this.isAdmin(account, user.fps);
  }

  /** Whether no message of that id was delivered lately; from now on it was. Null: not one that comes twice. */
  isNew(id: string | null): boolean {
    if (id === null) return true;
    if (this.recentTells.get(id) !== undefined) return false;
    this.recentTells.set(id, this.clock.nowMs());
    return true;
  }

  /** Charges a session for a request that could not even be read. */
  isTooFast({ user }: UserSession): boolean {
    return user.rate.take(REQUEST_BYTES) > 0;
  }

  /** What an address that is banned, or gave too many wrong passwords, is told before there is anybody to tell it to. */
  addressRefusal(address: string): BcastError | undefined {
    const nowMs = this.clock.nowMs();
    const shutOutMs = this.login.shutOutMs(address);
    if (shutOutMs > 0) return bannedUntil(nowMs + shutOutMs, nowMs);
    const ban = this.network.bans.matchAddress(address, nowMs);
    return ban === undefined ? undefined : bannedUntil(ban.untilMs, nowMs);
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

  /** When somebody was last here is worth no failure. */
  async noteSeen(key: NameKey): Promise<void> {
    const seenMs = this.clock.nowMs();
    try {
      await this.accounts.update(key, (account) => ({ ...account, seenMs }));
    } catch (error) {
      this.log.debug({ err: error }, 'a last-seen time could not be stored');
    }
  }

  #saveLater(): void {
    this.#saving = this.clock.after(SAVE_INTERVAL_MS, () => {
      this.rooms
        .save()
        .catch((error: unknown) => this.log.warn({ err: error }, 'read marks could not be stored'))
        .finally(() => this.#saveLater());
    });
  }
}

function bannedUntil(untilMs: number | null, nowMs: number): BcastError {
  return new BcastError('BANNED', untilMs === null ? {} : { untilMs, retryAfterMs: untilMs - nowMs });
}

/** However long the store is away: behind what a person does while it is, the server would be taken for dead. */
const INDEPENDENT: ReadonlySet<Request['type']> = new Set(['ping', 'typing', 'mark']);

/** A request is done when all that the same session sent before it is; only messages may follow each other at once. */
function mustWait(session: UserSession, { type }: Request): boolean {
  if (INDEPENDENT.has(type)) return false;
  return type === 'say' ? session.isSaturated : !session.isSettled;
}
