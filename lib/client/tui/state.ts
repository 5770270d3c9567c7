import type { BcastError } from '../../errors.ts';
import type { Access, MessageId, MessageKind, Role } from '../../protocol/messages.ts';
import { type NameKey, nameKey, type RoomName, type UserName } from '../../protocol/names.ts';
import type { ServerIdentity } from '../events.ts';
import type { Completion } from './completion.ts';
import { type Editor, EMPTY_EDITOR } from './editor.ts';
import { EMPTY_HISTORY, type InputHistory } from './input-history.ts';
import { emptyLog, type Log } from './log.ts';

/** Everything on the screen follows from this and nothing else. Never changed in place. */
export interface State {
  readonly columns: number;
  readonly rows: number;
  /** The wall clock at the last tick, in milliseconds since 1970. */
  readonly nowMs: number;
  readonly link: Link;
  /** Our name; before the first welcome, the one asked for. */
  readonly me: UserName | null;
  /** Our name is registered, and ours. */
  readonly isRegistered: boolean;
  readonly away: string | null;
  readonly latencyMs: number | null;
  /** Until when the server asked us to send less. */
  readonly slowUntilMs: number;
  /** Until when the server's storage is out of reach, as far as is known. */
  readonly storageOutUntilMs: number;
  readonly motd: string | null;
  /** The first is `home`, which shows only while there is no other. */
  readonly windows: readonly Window[];
  /** Index of the one on screen. */
  readonly active: number;
  readonly editor: Editor;
  readonly history: InputHistory;
  readonly completion: Completion | null;
  readonly mode: Mode;
  readonly isHelpOpen: boolean;
  readonly helpScroll: number;
  readonly showsRooms: boolean;
  readonly showsMembers: boolean;
  /** Rooms the last /list told of. */
  readonly knownRooms: readonly RoomName[];
  readonly ignored: readonly UserName[];
  readonly lastPrivateFrom: UserName | null;
  /** Rooms asked for by /join: their window comes to the front. */
  readonly joining: readonly NameKey[];
  /** A second Ctrl-C before this moment quits. */
  readonly quitArmedUntilMs: number;
  readonly typingSentAtMs: number;
  readonly bellAtMs: number;
  /** Numbers what we send until it is acknowledged. */
  readonly nextTicket: number;
  /** Set when the program ends. */
  readonly outcome: Outcome | null;
}

export interface Outcome {
  /** Why, unless we left of our own will. */
  readonly error: BcastError | null;
}

export type Link =
  | { readonly state: 'connecting' }
  | { readonly state: 'online'; readonly server: ServerIdentity; readonly role: Role }
  | {
      readonly state: 'offline';
      readonly server: ServerIdentity | null;
      readonly reason: string;
      readonly retryAtMs: number;
      readonly attempt: number;
    };

/** What the keys do: write a line, look for something, or write something that is not to be seen. */
export type Mode =
  | { readonly type: 'write' }
  /** Looking through the window; `serial` is the entry found. */
  | { readonly type: 'search'; readonly query: string; readonly serial: number | null; readonly before: Scroll | null }
  /** Looking through what was typed; `index` is the line found. */
  | { readonly type: 'recall'; readonly query: string; readonly index: number | null }
  | { readonly type: 'secret'; readonly wanted: Secret; readonly text: string };

/** What is asked for, and shown to nobody who looks over a shoulder. */
export type Secret =
  | { readonly what: 'code'; readonly room: RoomName }
  /** `first`: what was typed the first time; null then. */
  | { readonly what: 'password'; readonly first: string | null };

export interface Window {
  readonly kind: 'home' | 'room' | 'query';
  /** As shown; for a room without its `#`. */
  readonly name: string;
  readonly key: NameKey;
  readonly log: Log<Entry>;
  /** Null: the newest line is at the bottom. */
  readonly scroll: Scroll | null;
  /** Messages that came while this window was away or scrolled back. */
  readonly unread: number;
  readonly mentions: number;
  /** The first entry that came after this window was last left; null: nothing new. */
  readonly newFrom: number | null;
  readonly topic: string | null;
  readonly access: Access;
  /** In the order of their keys. */
  readonly members: readonly Member[];
  readonly typing: readonly { readonly name: UserName; readonly untilMs: number }[];
  /** Said but not acknowledged. */
  readonly pending: readonly Pending[];
  /** Lines in the log of what is not stored yet, to be put right when it is. */
  readonly unstored: readonly Unstored[];
  /** Shown when history has come in. */
  readonly banner: { readonly afterSeq: number; readonly text: string } | null;
  /** The oldest message shown; older ones are fetched from before it. */
  readonly oldestSeq: number | null;
  /** The newest message shown, up to where the server was told that it was seen, and the newest of our own. 0: none. */
  readonly newestSeq: number;
  readonly seenSeq: number;
  readonly ownSeq: number;
  /** `idle`: more may be had; `asking`: on its way; `done`: there is no more. */
  readonly older: 'idle' | 'asking' | 'done';
  /** Whether the server counts us in. Always true for queries. */
  readonly isJoined: boolean;
}

/** What stands at the bottom of a window that is scrolled back. */
export interface Scroll {
  readonly serial: number;
  /** Row inside that entry's block. */
  readonly row: number;
}

export interface Member {
  readonly name: UserName;
  readonly key: NameKey;
  readonly role: Role;
  readonly away: string | null;
}

export interface Pending {
  readonly ticket: number;
  /** Null until it is on its way, and for what goes to no room. */
  readonly id: MessageId | null;
  readonly to: 'room' | 'person' | 'followers';
  readonly kind: MessageKind;
  readonly body: string;
  readonly ts: number;
}

export interface Unstored {
  readonly id: MessageId;
  /** Null for what others said. */
  readonly ticket: number | null;
  readonly serial: number;
}

export type Entry = MessageEntry | NoticeEntry;

export interface MessageEntry {
  readonly type: 'message';
  readonly ts: number;
  readonly from: string;
  readonly kind: MessageKind;
  /** As it came: unsafe to print. */
  readonly body: string;
  readonly isOwn: boolean;
  readonly isStored: boolean;
  /** It went to everybody who follows its author. */
  readonly isPublished: boolean;
  /** The word of ours that it mentions. */
  readonly mention: string | null;
}

export type Tone = 'info' | 'join' | 'leave' | 'warn' | 'error';

export interface NoticeEntry {
  readonly type: 'notice';
  readonly ts: number;
  readonly tone: Tone;
  /** Whom it is about, first in the line, each in the colour of the name. */
  readonly who: readonly string[];
  /** May hold what others wrote: unsafe to print. */
  readonly text: string;
}

/** What the program starts from. */
export interface Start {
  readonly columns: number;
  readonly rows: number;
  readonly nowMs: number;
  readonly me: UserName | null;
  /** Rooms that have been asked for already. */
  readonly joining?: readonly RoomName[];
}

export function initialState({ columns, rows, nowMs, me, joining = [] }: Start): State {
  return {
    columns,
    rows,
    nowMs,
    link: { state: 'connecting' },
    me,
    isRegistered: false,
    away: null,
    latencyMs: null,
    slowUntilMs: 0,
    storageOutUntilMs: 0,
    motd: null,
    windows: [newWindow('home', 'bcast' as RoomName, 'bcast' as NameKey)],
    active: 0,
    editor: EMPTY_EDITOR,
    history: EMPTY_HISTORY,
    completion: null,
    mode: { type: 'write' },
    isHelpOpen: false,
    helpScroll: 0,
    showsRooms: true,
    showsMembers: true,
    knownRooms: [],
    ignored: [],
    lastPrivateFrom: null,
    // The first of them is shown first, whichever is there first.
    joining: joining.slice(0, 1).map(nameKey),
    quitArmedUntilMs: 0,
    typingSentAtMs: 0,
    bellAtMs: 0,
    nextTicket: 1,
    outcome: null,
  };
}

export function newWindow(kind: Window['kind'], name: string, key: NameKey): Window {
  return {
    kind,
    name,
    key,
    log: emptyLog(),
    scroll: null,
    unread: 0,
    mentions: 0,
    newFrom: null,
    topic: null,
    access: 'open',
    members: [],
    typing: [],
    pending: [],
    unstored: [],
    banner: null,
    oldestSeq: null,
    newestSeq: 0,
    seenSeq: 0,
    ownSeq: 0,
    older: 'idle',
    isJoined: kind !== 'room',
  };
}
