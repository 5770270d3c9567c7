import type { Fingerprint, MessageId, MessageKind, PresenceChange } from '../../protocol/messages.ts';
import type { ClientEvent, PrivateMessage, PublishedMessage, Receipt, RoomMessage } from '../events.ts';
import { sanitiseLine } from '../sanitise.ts';

export type OutputForm = 'text' | 'json' | 'raw';

/** What `--json` writes: these keys always, in this order; what does not apply is null. */
interface JsonLine {
  readonly v: 1;
  readonly type: string;
  readonly id: string | null;
  readonly seq: number | null;
  readonly ts: string;
  readonly room: string | null;
  readonly from: string | null;
  readonly fp: Fingerprint | null;
  readonly body: string | null;
  readonly to: string | null;
  readonly kind: MessageKind | null;
}

/** What somebody said: in a room, to this user, or to all who follow them. */
export type Message = RoomMessage | PrivateMessage | PublishedMessage;

/** A message as a line without its line ending. Text is always one line, whatever the body holds. */
export function formatMessage(form: OutputForm, message: Message): string {
  switch (form) {
    case 'raw':
      return message.body;
    case 'json':
      return JSON.stringify(jsonOfMessage(message));
    case 'text':
      return textOfMessage(message);
  }
}

function textOfMessage({ kind, body, ...message }: Message): string {
  const who = message.from + receiverOf(message);
  const text = sanitiseLine(body);
  return `${clockTime(message.ts)} ${kind === 'action' ? `* ${who} ${text}` : `<${who}> ${text}`}`;
}

/** Where it went, if not to a room that is known from the command line. A blank and `>` are part of no name. */
function receiverOf(
  message: Omit<PrivateMessage, 'kind' | 'body'> | { readonly type: 'message' | 'published' },
): string {
  if (message.type === 'message') return '';
  return ` -> ${message.type === 'private' ? message.to : 'followers'}`;
}

function jsonOfMessage(message: Message): JsonLine & { readonly history?: true } {
  const { type, id, ts, from, fp, body, kind } = message;
  const room = type === 'message' ? message : null;
  return {
    v: 1,
    type,
    id: uuid(id),
    seq: room?.seq ?? null,
    ts: rfc3339(ts),
    room: room?.room ?? null,
    from,
    fp,
    body,
    to: type === 'private' ? message.to : null,
    kind,
    // A bot that answers must be able to tell what was said before it came.
    ...(room?.isHistory === true && { history: true as const }),
  };
}

/** An event of `--events`, told in the same keys: `from` did it, to `to`, with the words in `body`. */
export interface Notice {
  readonly type: string;
  readonly room: string | null;
  readonly from: string | null;
  readonly to: string | null;
  readonly body: string | null;
  readonly ts: number;
  /** In words, sanitised. */
  readonly text: string;
}

export function formatNotice(form: OutputForm, notice: Notice): string {
  const { type, room, from, to, body, ts, text } = notice;
  if (form !== 'json') return `${clockTime(ts)} -!- ${text}`;
  const line: JsonLine = {
    v: 1,
    type,
    id: null,
    seq: null,
    ts: rfc3339(ts),
    room,
    from,
    fp: null,
    body,
    to,
    kind: null,
  };
  return JSON.stringify(line);
}

/** What `--events` shows of an event; nothing for messages and for what only a screen needs. */
export function noticesOf(event: ClientEvent, nowMs: number): readonly Notice[] {
  const about = (type: string, room: string, text: string, more: Partial<Notice> = {}): readonly Notice[] => [
    { type, room, from: null, to: null, body: null, ts: nowMs, ...more, text },
  ];
  switch (event.type) {
    case 'presence':
      return event.changes.map((change) => noticeOfChange(event.room, change, nowMs));
    case 'topic': {
      const { room, by, topic, ts } = event;
      const text =
        topic === null
          ? `${by} cleared the topic of ${room}`
          : `${by} set the topic of ${room}: ${sanitiseLine(topic)}`;
      return about('topic', room, text, { from: by, body: topic, ts });
    }
    case 'joined':
      return about('joined', event.room, `you are ${event.isRejoin ? 'back ' : ''}in ${event.room}`);
    case 'left':
      return about('left', event.room, `you left ${event.room}`);
    case 'removed':
      return about(event.removal, event.room, removedText(event), { from: event.by, body: event.reason });
    case 'gap':
      return about('gap', event.room, gapText(event), { body: `${event.first}-${event.last}` });
    case 'forgotten':
      return about('forgotten', event.room, forgottenText(event.room));
    case 'lagged':
      return about(
        'lagged',
        event.room,
        `too slow: ${event.dropped} messages in ${event.room} are being fetched again`,
      );
    case 'invited':
      return about('invited', event.room, `${event.by} invites you to ${event.room}`, {
        from: event.by,
        body: event.code,
      });
    case 'status':
    case 'renamed':
    case 'members':
    case 'message':
    case 'private':
    case 'published':
    case 'unstored':
    case 'typing':
    case 'sent':
    case 'slowDown':
    case 'unavailable':
    case 'latency':
      return [];
  }
}

export function gapText({ room, first, last }: { room: string; first: number; last: number }): string {
  const count = last - first + 1;
  const which = count === 1 ? `message ${first}` : `messages ${first} to ${last}`;
  return `${which} of ${room} can no longer be had (${count} lost)`;
}

export function forgottenText(room: string): string {
  return `the server started over and forgot ${room}: earlier messages are gone, and its numbers begin again`;
}

export function removedText(event: Extract<ClientEvent, { type: 'removed' }>): string {
  const reason = event.reason === null ? '' : `: ${sanitiseLine(event.reason)}`;
  const until = event.untilMs === null ? '' : ` until ${rfc3339(event.untilMs)}`;
  return `${event.by} ${event.removal === 'ban' ? 'banned' : 'removed'} you from ${event.room}${until}${reason}`;
}

function noticeOfChange(room: string, { change, name, other, text }: PresenceChange, ts: number): Notice {
  const words = text === null ? '' : `: ${sanitiseLine(text)}`;
  const base = { type: change, room, ts, body: text };
  switch (change) {
    case 'join':
      return { ...base, from: name, to: null, text: `${name} joined ${room}` };
    case 'leave':
      return { ...base, from: name, to: null, text: `${name} left ${room}${words}` };
    case 'nick':
      return { ...base, from: name, to: other, text: `${name} is now ${other}` };
    case 'away':
      return { ...base, from: name, to: null, text: `${name} is away${words}` };
    case 'back':
      return { ...base, from: name, to: null, text: `${name} is back` };
    case 'kick':
      return { ...base, from: other, to: name, text: `${other} removed ${name} from ${room}${words}` };
    case 'ban':
      return { ...base, from: other, to: name, text: `${other} banned ${name} from ${room}${words}` };
    case 'mute':
      return { ...base, from: other, to: name, text: `${other} muted ${name} in ${room}${words}` };
    case 'unmute':
      return { ...base, from: other, to: name, text: `${other} lets ${name} speak again in ${room}` };
    case 'role':
      return { ...base, from: other, to: name, text: `${name} is now ${sanitiseLine(text ?? 'member')} of ${room}` };
  }
}

/** The keys scripts may count on for what they sent. */
export function formatReceipt({ seq, id, room, ts }: Receipt): string {
  return JSON.stringify({ seq, id: uuid(id), room, ts: rfc3339(ts) });
}

function uuid(id: MessageId): string {
  return `${id.slice(0, 8)}-${id.slice(8, 12)}-${id.slice(12, 16)}-${id.slice(16, 20)}-${id.slice(20)}`;
}

/** A server's clock may say anything; Date throws past its range. */
function rfc3339(ms: number): string {
  return new Date(Math.min(ms, LAST_DATE_MS)).toISOString();
}

/** A text line with its number and its day in front, for messages that stand far apart. */
export function placed({ seq, ts }: RoomMessage, line: string): string {
  const date = new Date(Math.min(ts, LAST_DATE_MS));
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
  return `#${seq} ${day} ${line}`;
}

/** The last moment of the year 9999, where RFC 3339 ends. */
const LAST_DATE_MS = 253_402_300_799_999;

/** Hours and minutes of the local day. */
function clockTime(ms: number): string {
  const date = new Date(Math.min(ms, LAST_DATE_MS));
  return `${two(date.getHours())}:${two(date.getMinutes())}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
