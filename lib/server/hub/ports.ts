import type { BcastError } from '../../errors.ts';
import type { Fingerprint, MessageId, MessageKind } from '../../protocol/messages.ts';
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

/**
 * Durable state. test/conformance/store.ts is this contract as tests; every implementation passes it. Failures reject
 * with INTERNAL; what was asked then did not happen.
 */
export interface Store {
  /** How many messages of a room are kept. */
  readonly keepMessages: number;
  /** Opens the room, beginning a new incarnation when it is not there. */
  open(room: NameKey): Promise<Bounds>;
  /**
   * Stores the drafts in order and resolves once all of them are as durable as this store promises. A draft that comes
   * again and whose sender and id were seen before in its room is answered as a duplicate. Rooms must be open.
   */
  append(drafts: readonly Draft[]): Promise<readonly Appended[]>;
  /** A page of the room in seq order; empty for a room that is not there. */
  read(room: NameKey, query: PageQuery): Promise<readonly StoredMessage[]>;
  bounds(room: NameKey): Promise<Bounds | null>;
  /** Forgets the room and all it held; nothing happens when it is not there. */
  forget(room: NameKey): Promise<void>;
  close(): Promise<void>;
}

/** Where the hub puts what is meant for one session. Never waits and never throws. */
export interface Outbox {
  /** Past its bounds: whoever can do without putting more in should. */
  readonly isFull: boolean;
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

/** The event loop as the hub needs it. */
export interface Turn {
  /** Calls back once what the operating system has delivered by now was read. */
  atEnd(callback: () => void): void;
  /** Everything queued in outboxes may leave now. */
  flush(): void;
}
