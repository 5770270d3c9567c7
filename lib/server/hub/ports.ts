import type { BcastError } from '../../errors.ts';
import type { Fingerprint, MessageId, MessageKind, RoomRow } from '../../protocol/messages.ts';
import type { NameKey, RoomName, UserName } from '../../protocol/names.ts';

/** A room message on its way into the store. */
export interface Draft {
  readonly room: NameKey;
  readonly id: MessageId;
  /** Whether the same sender's same id may have been stored before. False: it is stored without looking. */
  readonly isAgain: boolean;
  readonly from: UserName;
  readonly fp: Fingerprint;
  readonly kind: MessageKind;
  readonly body: string;
  /** Milliseconds since 1970; what the store answers is never less than its predecessor's in the room. */
  readonly ts: number;
}

export interface StoredMessage extends Omit<Draft, 'isAgain'> {
  /** Starts at 1 in each incarnation of a room and has no holes. */
  readonly seq: number;
}

/** The answer to one draft. */
export interface Appended {
  readonly seq: number;
  readonly ts: number;
  /** The same sender's same id was stored before; `seq` and `ts` are those of then, and nothing was added. */
  readonly isDuplicate: boolean;
}

/** What a room's history spans. */
export interface Bounds {
  /** Sixteen hex digits that change whenever the room's seqs start over. */
  readonly incarnation: string;
  /** The oldest seq still kept; `last + 1` when nothing is. */
  readonly first: number;
  /** The newest seq given out; 0 before the first message. */
  readonly last: number;
}

export interface PageQuery {
  /** Only greater seqs. With it the page holds the oldest that qualify, otherwise the newest. */
  readonly after?: number;
  /** Only smaller seqs. */
  readonly before?: number;
  /** Only messages at or after this time. */
  readonly sinceMs?: number;
  readonly limit: number;
}

/** What was found of some words, and how far back was looked. */
export interface Found {
  /** In seq order, the newest that match. */
  readonly messages: readonly StoredMessage[];
  /** The oldest seq that was looked at; what is older may hold more. `last + 1` when nothing was. */
  readonly from: number;
}

export interface SearchQuery {
  /** All of them must stand in a message as words, without regard to case; a word may be the beginning of a longer one. */
  readonly words: readonly string[];
  /** Only smaller seqs. */
  readonly before?: number;
  readonly limit: number;
}

/**
 * What is said in rooms. Failures reject with INTERNAL; what was asked then did not happen. A message is kept while it is
 * among the newest `keepMessages` of its room and younger than `keepMs`: whatever is not is neither read, found nor within
 * bounds, however long its bytes may lie about.
 */
export interface History {
  /** How many messages of a room are kept, and for how long in milliseconds. */
  readonly keepMessages: number;
  readonly keepMs: number;
  /** Opens the room, beginning a new incarnation when it is not there. */
  open(room: NameKey): Promise<Bounds>;
  /**
   * Stores the drafts in order and resolves once all of them are as durable as this store promises. A draft that comes
   * again and whose sender and id were seen before in its room is answered as a duplicate. Rooms must be open.
   */
  append(drafts: readonly Draft[]): Promise<readonly Appended[]>;
  /** A page of the room in seq order; empty for a room that is not there. */
  read(room: NameKey, query: PageQuery): Promise<readonly StoredMessage[]>;
  search(room: NameKey, query: SearchQuery): Promise<Found>;
  bounds(room: NameKey): Promise<Bounds | null>;
  /**
   * Whether an open room outlives its last member. One that does not is forgotten by the hub's word (`forget`), or, when
   * the process died before it could say so, by the store itself some time after it is opened by nobody.
   */
  retain(room: NameKey, isRetained: boolean): Promise<void>;
  /** Nobody here needs the room any more, but others may: it is not forgotten. */
  release(room: NameKey): Promise<void>;
  /**
   * Forgets the room and all it held, its record too; nothing happens when it is not there. One that another node has open
   * by now is only released.
   */
  forget(room: NameKey): Promise<void>;
}

/**
 * What records are about. `account`: a registered name. `identity`: whose a fingerprint is. `room`: who rules a room and
 * who may enter; forgotten with it. `ban`: of the network. `follow`: whom somebody follows. `read`: how far each member has
 * read a room; forgotten with it. `audit`: what moderators did. `setting`: what an admin changed on a running server.
 * `kept`: which rooms an identity or an account keeps.
 */
export type RecordKind = 'account' | 'identity' | 'room' | 'ban' | 'follow' | 'read' | 'audit' | 'setting' | 'kept';

/** A small durable fact. The value is JSON, at most MAX_RECORD_BYTES of it; what it means is the hub's business. */
export interface StoredRecord {
  readonly key: string;
  readonly value: unknown;
  /** Changes whenever the value does; greater than 0. */
  readonly version: number;
}

export interface PutOptions {
  /** Only over this version; 0: only where nothing is. Without it, over whatever is there. */
  readonly over?: number;
  /** The record is gone at this moment, in milliseconds since 1970. */
  readonly expiresMs?: number;
}

export interface ListQuery {
  /** Only keys that begin so. */
  readonly prefix?: string;
  /** Only greater keys, as UTF-8 bytes compare; the page goes upwards. */
  readonly after?: string;
  readonly limit: number;
  /** The greatest keys first; `after` then means smaller. */
  readonly isDescending?: boolean;
}

/** Small durable facts by kind and key. Each write is atomic by itself; as durable as `append` once it resolves. */
export interface Records {
  get(kind: RecordKind, key: string): Promise<StoredRecord | null>;
  /** The new version, or null when something else than `over` is there, and then nothing was written. */
  put(kind: RecordKind, key: string, value: unknown, options?: PutOptions): Promise<number | null>;
  /** False when it was not there, or not of the version `over`. */
  remove(kind: RecordKind, key: string, over?: number): Promise<boolean>;
  list(kind: RecordKind, query: ListQuery): Promise<readonly StoredRecord[]>;
}

/** The time in which a store cannot be reached. */
export interface Outage {
  /** Milliseconds since 1970. */
  readonly sinceMs: number;
  /** For the operator; holds no secret. */
  readonly reason: string;
}

/** Durable state. test/conformance/ is this contract as tests; every implementation passes all of it. */
export interface Store extends History, Records {
  /** Writes a copy of everything to a new file, of this moment, while the store goes on. Absent where there is no file. */
  backup?(path: string): Promise<void>;
  /** Absent or null while the store does what it is asked. */
  readonly outage?: Outage | null;
  close(): Promise<void>;
}

/** A user as the whole network knows it. */
export interface Holder {
  readonly key: NameKey;
  readonly name: UserName;
  /** Account or identity: who may hold the name beside this session. */
  readonly subject: string;
  /** Every identity it is known by. */
  readonly fps: readonly Fingerprint[];
  readonly isAdmin: boolean;
  readonly isRegistered: boolean;
  readonly away: string | null;
  /** When its first session came; milliseconds since 1970. */
  readonly sinceMs: number;
}

export interface FoundHolder extends Holder {
  /** On all nodes. */
  readonly sessions: number;
}

/** A user in a room by way of another node. */
export interface RemoteMember {
  readonly node: string;
  readonly holder: Holder;
}

/** What nodes tell each other of a room that they all have members in. */
export type RoomNews =
  /** Somebody came, went or changed; `bytes` is the presence event for who watches. */
  | { readonly type: 'member'; readonly holder: Holder; readonly isHere: boolean; readonly bytes: Uint8Array | null }
  /** An event for every member, or only for who watches. */
  | { readonly type: 'event'; readonly bytes: Uint8Array; readonly isForWatchers: boolean }
  /** Something was said up to that seq, whether or not it was heard. */
  | { readonly type: 'reached'; readonly seq: number }
  /** The room's record has changed. */
  | { readonly type: 'changed' }
  /** Nobody was in it, and it is no more: whoever keeps it in memory knows an old one. */
  | { readonly type: 'forgotten' }
  /** Whoever of that key is here must go. */
  | {
      readonly type: 'removed';
      readonly key: NameKey;
      readonly removal: 'kick' | 'ban';
      readonly by: UserName;
      readonly reason: string | null;
      readonly untilMs: number | null;
    }
  /** That identity has given the room's code. */
  | { readonly type: 'known'; readonly fp: Fingerprint }
  | {
      readonly type: 'mark';
      readonly subject: string;
      readonly name: UserName;
      readonly delivered: number;
      readonly read: number;
    };

/** What nodes tell all others. */
export type NetworkNews =
  /** An event for every session of one user; `id`: of a message that may come twice. */
  | { readonly type: 'tell'; readonly key: NameKey; readonly id: string | null; readonly bytes: Uint8Array }
  /** An event for whoever follows that subject. */
  | { readonly type: 'published'; readonly subject: string; readonly id: string; readonly bytes: Uint8Array }
  /** Bans, mutes or the motd have changed: to be read anew, and enforced. */
  | { readonly type: 'network' }
  /** Every session of that user must go. */
  | { readonly type: 'expelled'; readonly key: NameKey; readonly text: string }
  /** The operator has changed or removed an account. */
  | { readonly type: 'account'; readonly key: NameKey }
  /** What is known of a user has changed. */
  | { readonly type: 'described'; readonly holder: Holder }
  /** A user follows others than before. */
  | { readonly type: 'followed'; readonly key: NameKey }
  /** A wrong password or code was given; one more is to be counted under each of the keys. */
  | { readonly type: 'failed'; readonly at: 'login' | 'code'; readonly keys: readonly string[] }
  /** An account was entered from that address by its password. */
  | { readonly type: 'proved'; readonly key: NameKey; readonly address: string }
  /** The operator has let an address in again that was shut out for wrong passwords. */
  | { readonly type: 'letIn'; readonly address: string }
  /** A user has another name. */
  | { readonly type: 'renamed'; readonly key: NameKey; readonly subject: string; readonly name: UserName };

/** What a node is told by the others; never of what it did itself. Never throws. */
export interface BackplaneHandler {
  /**
   * Stored by another node in that incarnation of the room. Those of one call follow each other; calls may come late, twice,
   * or not at all.
   */
  onMessages(room: NameKey, incarnation: string, messages: readonly StoredMessage[]): void;
  /** Who is in the room by way of others, in place of all that was told before. */
  onMembers(room: NameKey, members: readonly RemoteMember[]): void;
  onRoomNews(room: NameKey, node: string, news: RoomNews): void;
  onNews(news: NetworkNews): void;
  /** A node is there no more, and with it whoever was there. */
  onNodeGone(node: string): void;
  /** A name that was held here has another holder by now: this node was cut off for too long. */
  onNameLost(key: NameKey): void;
  /** It was out of reach and is back: what was told meanwhile is lost, but for the members, who are told anew before. */
  onReturned(): void;
  /** Rooms that have members here. */
  rooms(): readonly RoomRow[];
}

/**
 * Between the nodes of one network. Names are held as long as their node lives and its claims are renewed. News are told at
 * most once, and lost while the network is out of reach. test/conformance/backplane.ts is this contract as tests.
 */
export interface Backplane {
  /** Whether there can be no other node: then nothing has to be told. */
  readonly isAlone: boolean;
  start(handler: BackplaneHandler): Promise<void>;
  stop(): Promise<void>;
  /**
   * Holds a name for one more session. Rejects with NAME_IN_USE when another subject has it anywhere, TOO_MANY_SESSIONS
   * beyond `maxSessions`, and UNAVAILABLE.
   */
  claim(holder: Holder, session: string, maxSessions: number): Promise<void>;
  /** The session needs the name no more. Never rejects. */
  release(key: NameKey, session: string): Promise<void>;
  /** What is known of a holder has changed. Never rejects. */
  describe(holder: Holder): Promise<void>;
  /** Whoever has that name, on this node or another. Rejects with UNAVAILABLE. */
  find(key: NameKey): Promise<FoundHolder | null>;
  /** This node has the room open, and from now on hears of it. Who is in it by way of others. Rejects with UNAVAILABLE. */
  enter(room: NameKey): Promise<readonly RemoteMember[]>;
  /** Never rejects. */
  leave(room: NameKey): Promise<void>;
  /** Whether the user is in the room by way of this node; told to the others by `news`. Never rejects. */
  setMember(room: NameKey, holder: Holder, isHere: boolean, bytes: Uint8Array | null): Promise<void>;
  tellRoom(room: NameKey, news: RoomNews): void;
  tellAll(news: NetworkNews): void;
  /** Rooms that have members on other nodes, as each of these has them. What cannot be had in time is missing. */
  rooms(): Promise<readonly RoomRow[]>;
}

/** Where the hub puts what is meant for one session. Never waits and never throws. */
export interface Outbox {
  /**
   * Past its bounds with what the other end does not take: whoever can do without putting more in should. What only this
   * turn has brought does not count, as it may leave at once.
   */
  readonly isFull: boolean;
  /** So far past them that nothing more may go in but answers. */
  readonly isHopeless: boolean;
  /**
   * Queues encoded messages, each with its length in front. The bytes are shared between sessions and must not be
   * changed. `count` is how many messages they hold.
   */
  send(bytes: Uint8Array, count: number): void;
  /** As `send`, but a full queue leaves them out and says `lagged` for the room once it has emptied. */
  sendRoom(room: RoomName, bytes: Uint8Array, count: number): void;
  /** Says why, sends what is queued, and closes the connection. */
  end(error: BcastError): void;
}

/** What must be random, slow to guess, or keyed. */
export interface Secrets {
  /** A new code for a locked room. */
  newRoomCode(): string;
  /** Of a room's code, under a key that is not in the store: who has only the store cannot try codes. */
  codeDigest(room: NameKey, code: string): string;
  /** A salted hash that is slow to compute, beside the event loop. */
  hashPassword(password: string): Promise<string>;
  /** Takes as long for a hash that is null, so that nobody learns who has a password. */
  verifyPassword(password: string, hash: string | null): Promise<boolean>;
}

/** The event loop as the hub needs it. */
export interface Turn {
  /** Calls back once what the operating system has delivered by now was read. */
  atEnd(callback: () => void): void;
  /** Everything queued in outboxes may leave now. */
  flush(): void;
}
