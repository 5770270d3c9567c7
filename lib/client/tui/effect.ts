import type { BcastError } from '../../errors.ts';
import type {
  Access,
  BanRow,
  Events,
  MemberRow,
  MessageId,
  MessageKind,
  Penalty,
  Role,
  RoomRow,
} from '../../protocol/messages.ts';
import type { RoomName, UserName } from '../../protocol/names.ts';
import type { ClientEvent, Receipt, RoomMessage } from '../events.ts';
import type { KeyEvent } from './keys.ts';

/** What is asked, with what came of it told to the window it was asked in. */
export type Ask =
  | AskAboutRoom
  | AskAboutPenalty
  | { readonly what: 'rooms' }
  | { readonly what: 'whois'; readonly name: UserName }
  | { readonly what: 'nick'; readonly name: UserName }
  | { readonly what: 'away'; readonly text: string | null }
  /** With a password null: the name alone. */
  | { readonly what: 'register'; readonly password: string | null }
  | { readonly what: 'unregister' }
  | { readonly what: 'follow'; readonly name: UserName; readonly isOn: boolean }
  | { readonly what: 'follows' }
  | { readonly what: 'motd'; readonly text: string | null };

type AskAboutRoom =
  | {
      readonly what: 'names';
      readonly room: RoomName;
      /** Also as a line, not only in the member list. */
      readonly isShown: boolean;
    }
  | {
      readonly what: 'join';
      readonly room: RoomName;
      /** Whether it comes on screen. */
      readonly isToFront: boolean;
      /** Null: the one that the client knows, if any. */
      readonly code: string | null;
      /** Only make it, so. */
      readonly create: Access | null;
    }
  | { readonly what: 'leave'; readonly room: RoomName }
  | { readonly what: 'topic'; readonly room: RoomName; readonly topic: string | null }
  /** So many messages older than `before`. */
  | {
      readonly what: 'older';
      readonly room: RoomName;
      readonly before: number;
      readonly limit: number;
      /** They were asked for by name, not by scrolling. */
      readonly isShown: boolean;
    }
  | { readonly what: 'search'; readonly room: RoomName; readonly words: string }
  | { readonly what: 'receipts'; readonly room: RoomName; readonly seq: number }
  | { readonly what: 'invite'; readonly room: RoomName; readonly name: UserName }
  /** The URL that leads here. */
  | { readonly what: 'link'; readonly room: RoomName }
  | { readonly what: 'code'; readonly room: RoomName; readonly isNew: boolean }
  | { readonly what: 'retain'; readonly room: RoomName; readonly isKept: boolean };

type AskAboutPenalty =
  | { readonly what: 'kick'; readonly room: RoomName; readonly name: UserName; readonly reason: string | null }
  | {
      readonly what: 'ban';
      readonly penalty: Penalty;
      readonly room: RoomName;
      readonly target: string;
      readonly durationMs: number | null;
      readonly reason: string | null;
    }
  | { readonly what: 'unban'; readonly penalty: Penalty; readonly room: RoomName; readonly target: string }
  | { readonly what: 'bans'; readonly penalty: Penalty; readonly room: RoomName }
  | { readonly what: 'role'; readonly room: RoomName; readonly name: UserName; readonly role: Role };

export type Answer =
  | { readonly type: 'done' }
  | { readonly type: 'members'; readonly members: readonly MemberRow[] }
  | { readonly type: 'rooms'; readonly rooms: readonly RoomRow[] }
  | { readonly type: 'user'; readonly user: Events['user'] }
  | { readonly type: 'bans'; readonly bans: readonly BanRow[] }
  | { readonly type: 'messages'; readonly messages: readonly RoomMessage[] }
  /** Messages before `fromSeq` were not looked at. */
  | { readonly type: 'found'; readonly messages: readonly RoomMessage[]; readonly fromSeq: number }
  | { readonly type: 'receipts'; readonly receipts: Events['receipts'] }
  | { readonly type: 'follows'; readonly names: readonly UserName[] }
  | { readonly type: 'link'; readonly url: string }
  /** Null: the client does not know it. */
  | { readonly type: 'code'; readonly code: string | null }
  | { readonly type: 'refused'; readonly error: BcastError };

/** What `update` wants done; the program does it and reports back as an event. */
export type Effect =
  | {
      readonly type: 'say';
      readonly ticket: number;
      readonly room: RoomName;
      readonly kind: MessageKind;
      readonly body: string;
    }
  | {
      readonly type: 'tell';
      readonly ticket: number;
      readonly to: UserName;
      readonly kind: MessageKind;
      readonly body: string;
    }
  | { readonly type: 'publish'; readonly ticket: number; readonly body: string }
  /** `window` is the id of the window that hears the answer. */
  | { readonly type: 'ask'; readonly ask: Ask; readonly window: string }
  | { readonly type: 'typing'; readonly room: RoomName }
  /** Everything up to `seq` was on the screen. */
  | { readonly type: 'seen'; readonly room: RoomName; readonly seq: number }
  | { readonly type: 'bell' }
  | { readonly type: 'redraw' }
  | { readonly type: 'suspend' }
  | { readonly type: 'quit' };

/** Everything that can happen to the program. */
export type TuiEvent =
  | KeyEvent
  | { readonly type: 'client'; readonly event: ClientEvent }
  | { readonly type: 'resize'; readonly columns: number; readonly rows: number }
  /** Comes before the others whenever the time has moved, and at least once a second while something counts down. */
  | { readonly type: 'tick'; readonly nowMs: number }
  /** What goes to a room under this ticket goes under this id. */
  | { readonly type: 'saying'; readonly ticket: number; readonly id: MessageId }
  /** What was said under this ticket was accepted. */
  | { readonly type: 'said'; readonly ticket: number; readonly ts: Receipt['ts'] }
  /** Or it was refused for good. */
  | { readonly type: 'unsaid'; readonly ticket: number; readonly error: BcastError }
  | { readonly type: 'answered'; readonly ask: Ask; readonly window: string; readonly answer: Answer };
