import type { BcastError } from '../errors.ts';
import type { Events, Fingerprint, MemberRow, MessageId, MessageKind } from '../protocol/messages.ts';
import type { RoomName, UserName } from '../protocol/names.ts';

/** A stored room message, from others, from history or one's own; each comes once, in seq order for its room. */
export interface RoomMessage {
  readonly type: 'message';
  readonly room: RoomName;
  readonly seq: number;
  readonly ts: number;
  readonly from: UserName;
  readonly fp: Fingerprint;
  readonly id: MessageId;
  readonly kind: MessageKind;
  readonly body: string;
  /** It was stored before this client joined. */
  readonly isHistory: boolean;
}

export type PrivateMessage = Events['private'];
export type PublishedMessage = Events['published'];
export type UnstoredMessage = Events['unstored'];

/** Where the client stands with its server. */
export type ConnectionStatus =
  | { readonly state: 'connecting' }
  | {
      readonly state: 'online';
      readonly name: UserName;
      readonly role: Events['welcome']['role'];
      /** The name is registered, and this user's. */
      readonly registered: boolean;
      readonly motd: string | null;
      readonly server: ServerIdentity;
      /** False for the first connection of this client. */
      readonly isReconnect: boolean;
    }
  /** The connection is gone; the next attempt starts in `retryInMs`. */
  | { readonly state: 'offline'; readonly error: BcastError; readonly retryInMs: number; readonly attempt: number }
  /** For good; `error` is absent after `close()`. */
  | { readonly state: 'closed'; readonly error?: BcastError };

export interface ServerIdentity {
  /** host:port */
  readonly address: string;
  readonly fingerprint: Fingerprint;
  readonly suite: number;
  /** How it came to be trusted. */
  readonly trust: 'pinned' | 'known' | 'local' | 'accepted';
}

/** Everything a client tells its owner, in the order in which it happened. */
export type ClientEvent =
  | RoomMessage
  | PrivateMessage
  | Events['presence']
  | Events['typing']
  | Events['topic']
  | Events['removed']
  | Events['renamed']
  /** Somebody wants this user in a room; its code, if one came along, is known to this client from here on. */
  | Events['invited']
  /** Somebody whom this user follows has said something to all followers. */
  | PublishedMessage
  /**
   * Somebody has said something that the server cannot store yet. It comes again as a `message` of the same id once it
   * is stored; until then it may be lost.
   */
  | UnstoredMessage
  /** This client is in the room (again, after a reconnect). */
  | { readonly type: 'joined'; readonly room: RoomName; readonly banner: Events['joined']; readonly isRejoin: boolean }
  /** What `names` resolves to, in its place between the `presence` that came before it and after. */
  | { readonly type: 'members'; readonly room: RoomName; readonly members: readonly MemberRow[] }
  /** `error` is there when the server would not let it in again after a reconnect. */
  | { readonly type: 'left'; readonly room: RoomName; readonly error?: BcastError }
  /** Messages `first` to `last` of this room can no longer be had. */
  | { readonly type: 'gap'; readonly room: RoomName; readonly first: number; readonly last: number }
  /** The room started over (a restarted server without durable history): earlier messages are gone. */
  | { readonly type: 'forgotten'; readonly room: RoomName }
  /** The server left messages out because this client read too slowly; they are being fetched. */
  | { readonly type: 'lagged'; readonly room: RoomName; readonly dropped: number }
  /** A message of ours was accepted. */
  | { readonly type: 'sent'; readonly id: MessageId; readonly receipt: Receipt }
  /** The server asks for less; sending pauses by itself. */
  | { readonly type: 'slowDown'; readonly retryAfterMs: number }
  /** The server's storage is out of reach; what needs it waits and is tried again by itself. */
  | { readonly type: 'unavailable'; readonly retryAfterMs: number }
  | { readonly type: 'latency'; readonly roundTripMs: number }
  | { readonly type: 'status'; readonly status: ConnectionStatus };

/** Proof that the server took a message. */
export interface Receipt {
  readonly id: MessageId;
  /** Null for what was said to one person or to followers, which has no place in a room. */
  readonly room: RoomName | null;
  readonly seq: number | null;
  /** The server's time, in milliseconds since 1970. */
  readonly ts: number;
}
