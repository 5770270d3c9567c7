import type { BcastError } from '../../errors.ts';
import type { BanRow, Events, MemberRow, MessageKind, RoomRow } from '../../protocol/messages.ts';
import type { RoomName, UserName } from '../../protocol/names.ts';
import type { ClientEvent, RoomMessage } from '../events.ts';
import type { KeyEvent } from './keys.ts';

/** What is asked of the server, with what came of it told to the window it was asked in. */
export type Ask =
  | {
      readonly what: 'names';
      readonly room: RoomName /** Also as a line, not only in the member list. */;
      readonly isShown: boolean;
    }
  | { readonly what: 'rooms' }
  | { readonly what: 'whois'; readonly name: UserName }
  | { readonly what: 'topic'; readonly room: RoomName; readonly topic: string | null }
  | { readonly what: 'nick'; readonly name: UserName }
  | { readonly what: 'away'; readonly text: string | null }
  | { readonly what: 'kick'; readonly room: RoomName; readonly name: UserName; readonly reason: string | null }
  | {
      readonly what: 'ban';
      readonly room: RoomName;
      readonly target: string;
      readonly durationMs: number | null;
      readonly reason: string | null;
    }
  | { readonly what: 'unban'; readonly room: RoomName; readonly target: string }
  | { readonly what: 'bans'; readonly room: RoomName }
  | { readonly what: 'join'; readonly room: RoomName /** Whether it comes on screen. */; readonly isToFront: boolean }
  | { readonly what: 'leave'; readonly room: RoomName }
  /** Messages older than `before`. */
  | { readonly what: 'older'; readonly room: RoomName; readonly before: number };

export type Answer =
  | { readonly type: 'done' }
  | { readonly type: 'members'; readonly members: readonly MemberRow[] }
  | { readonly type: 'rooms'; readonly rooms: readonly RoomRow[] }
  | { readonly type: 'user'; readonly user: Events['user'] }
  | { readonly type: 'bans'; readonly bans: readonly BanRow[] }
  | { readonly type: 'messages'; readonly messages: readonly RoomMessage[] }
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
  /** `window` is the id of the window that hears the answer. */
  | { readonly type: 'ask'; readonly ask: Ask; readonly window: string }
  | { readonly type: 'typing'; readonly room: RoomName }
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
  /** What was said under this ticket was accepted at `ts`, the server's time. */
  | { readonly type: 'said'; readonly ticket: number; readonly ts: number }
  /** Or it was refused for good. */
  | { readonly type: 'unsaid'; readonly ticket: number; readonly error: BcastError }
  | { readonly type: 'answered'; readonly ask: Ask; readonly window: string; readonly answer: Answer };
