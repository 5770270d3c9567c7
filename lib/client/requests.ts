import { BcastError } from '../errors.ts';
import {
  MAX_MOTD_BYTES,
  MAX_NAME_CHARS,
  MAX_PAGE_MESSAGES,
  MAX_PASSWORD_BYTES,
  MAX_REASON_BYTES,
  MAX_SEARCH_BYTES,
  MAX_TOPIC_BYTES,
} from '../limits.ts';
import type { BanRow, Event, Events, MemberRow, PastMessage, Penalty, Role, RoomRow } from '../protocol/messages.ts';
import { type RoomName, requireOwnName, requireRoomName, requireUserName, type UserName } from '../protocol/names.ts';
import { utf8Length } from '../protocol/text.ts';
import type { Ask } from './connection.ts';
import type { RoomMessage } from './events.ts';

export interface HistoryQuery {
  /** Only messages with a smaller seq. */
  readonly beforeSeq?: number | undefined;
  readonly limit: number;
}

/** What a search found, and how far it looked. */
export interface Found {
  /** Oldest first. */
  readonly messages: readonly RoomMessage[];
  /** Older messages than this one were not looked at; there may be none. */
  readonly fromSeq: number;
}

/** What a client asks of its server without keeping anything of it: the question, and the answer. */
export interface ServerRequests {
  nick(name: string): Promise<void>;
  topic(room: string, topic: string | null): Promise<void>;
  typing(room: string): Promise<void>;
  names(room: string): Promise<readonly MemberRow[]>;
  rooms(): Promise<readonly RoomRow[]>;
  whois(name: string): Promise<Events['user']>;
  /** The `limit` newest messages before a seq, oldest first. */
  history(room: string, query: HistoryQuery): Promise<readonly RoomMessage[]>;
  /** The newest messages that have all of these words, each whole or as the beginning of one. */
  search(room: string, words: string, query: HistoryQuery): Promise<Found>;
  /** How many others have got a message of this room, and who has read it. */
  receipts(room: string, seq: number): Promise<Events['receipts']>;

  /** Keeps the name for this identity; with a password (8 bytes at least) others may enter under it that know that. */
  register(password?: string | null): Promise<void>;
  unregister(): Promise<void>;
  /** Hear what that user publishes; kept for the identity. */
  follow(name: string): Promise<void>;
  unfollow(name: string): Promise<void>;
  follows(): Promise<readonly UserName[]>;

  /** `room` null: from the whole server. */
  kick(room: string | null, name: string, reason?: string): Promise<void>;
  /** `target` is a name, an address, a range of addresses or a fingerprint; `durationMs` null: for good. */
  ban(room: string | null, target: string, durationMs: number | null, reason?: string): Promise<void>;
  unban(room: string | null, target: string): Promise<void>;
  bans(room: string | null): Promise<readonly BanRow[]>;
  /** As `ban`, but they may stay and listen. */
  mute(room: string | null, target: string, durationMs: number | null, reason?: string): Promise<void>;
  unmute(room: string | null, target: string): Promise<void>;
  mutes(room: string | null): Promise<readonly BanRow[]>;
  role(room: string, name: string, role: Role): Promise<void>;
  /** Whether to keep the room when nobody is in it. */
  retain(room: string, isKept: boolean): Promise<void>;
  /** The line that greets everybody; null: as configured. */
  setMotd(text: string | null): Promise<void>;
}

/** The requests, made on whatever connection there is. */
export abstract class Requests implements ServerRequests {
  /** Resolves to the rows of the answer. */
  protected abstract ask(ask: Ask): Promise<readonly Event[]>;

  async nick(name: string): Promise<void> {
    await this.ask({ type: 'nick', name: requireOwnName(name) });
  }

  async topic(room: string, topic: string | null): Promise<void> {
    await this.ask({ type: 'topic', room: requireRoomName(room), topic: short('topic', topic, MAX_TOPIC_BYTES) });
  }

  async typing(room: string): Promise<void> {
    await this.ask({ type: 'typing', room: requireRoomName(room) });
  }

  async names(room: string): Promise<readonly MemberRow[]> {
    return membersIn(await this.ask({ type: 'names', room: requireRoomName(room) }));
  }

  async rooms(): Promise<readonly RoomRow[]> {
    const rows = await this.ask({ type: 'rooms' });
    return rows.flatMap((row) => (row.type === 'rooms' ? row.rooms : []));
  }

  async whois(name: string): Promise<Events['user']> {
    return only(await this.ask({ type: 'whois', name: requireUserName(name) }), 'user');
  }

  async history(room: string, { beforeSeq, limit }: HistoryQuery): Promise<readonly RoomMessage[]> {
    const name = requireRoomName(room);
    return backwards(name, beforeSeq, limit, (before, count) =>
      this.ask({ type: 'history', room: name, after: null, before, sinceMs: null, limit: count }),
    );
  }

  async search(room: string, words: string, { beforeSeq, limit }: HistoryQuery): Promise<Found> {
    const name = requireRoomName(room);
    const wanted = short('text to look for', words, MAX_SEARCH_BYTES);
    let fromSeq = 0;
    const messages = await backwards(name, beforeSeq, limit, async (before, count) => {
      const rows = await this.ask({ type: 'search', room: name, words: wanted, before, limit: count });
      fromSeq = only(rows, 'searched').from;
      return rows;
    });
    return { messages, fromSeq };
  }

  async receipts(room: string, seq: number): Promise<Events['receipts']> {
    return only(await this.ask({ type: 'receipts', room: requireRoomName(room), seq }), 'receipts');
  }

  async register(password: string | null = null): Promise<void> {
    await this.ask({ type: 'register', password: short('password', password, MAX_PASSWORD_BYTES) });
  }

  async unregister(): Promise<void> {
    await this.ask({ type: 'unregister' });
  }

  async follow(name: string): Promise<void> {
    await this.ask({ type: 'follow', name: requireUserName(name), on: true });
  }

  async unfollow(name: string): Promise<void> {
    await this.ask({ type: 'follow', name: requireUserName(name), on: false });
  }

  async follows(): Promise<readonly UserName[]> {
    const rows = await this.ask({ type: 'follows' });
    return rows.flatMap((row) => (row.type === 'follows' ? row.names : []));
  }

  async kick(room: string | null, name: string, reason?: string): Promise<void> {
    const words = short('reason', reason ?? null, MAX_REASON_BYTES);
    await this.ask({ type: 'kick', room: roomOrNull(room), name: requireUserName(name), reason: words });
  }

  ban(room: string | null, target: string, durationMs: number | null, reason?: string): Promise<void> {
    return this.#punish('ban', room, target, durationMs, reason);
  }

  unban(room: string | null, target: string): Promise<void> {
    return this.#pardon('ban', room, target);
  }

  bans(room: string | null): Promise<readonly BanRow[]> {
    return this.#punished('ban', room);
  }

  mute(room: string | null, target: string, durationMs: number | null, reason?: string): Promise<void> {
    return this.#punish('mute', room, target, durationMs, reason);
  }

  unmute(room: string | null, target: string): Promise<void> {
    return this.#pardon('mute', room, target);
  }

  mutes(room: string | null): Promise<readonly BanRow[]> {
    return this.#punished('mute', room);
  }

  async role(room: string, name: string, role: Role): Promise<void> {
    await this.ask({ type: 'role', room: requireRoomName(room), name: requireUserName(name), role });
  }

  async retain(room: string, isKept: boolean): Promise<void> {
    await this.ask({ type: 'retain', room: requireRoomName(room), on: isKept });
  }

  async setMotd(text: string | null): Promise<void> {
    await this.ask({ type: 'motd', text: short('text', text, MAX_MOTD_BYTES) });
  }

  async #punish(
    penalty: Penalty,
    room: string | null,
    target: string,
    durationMs: number | null,
    reason: string | undefined,
  ): Promise<void> {
    const words = short('reason', reason ?? null, MAX_REASON_BYTES);
    const whom = short('target', target, MAX_TARGET_BYTES);
    await this.ask({ type: 'ban', room: roomOrNull(room), target: whom, penalty, durationMs, reason: words });
  }

  async #pardon(penalty: Penalty, room: string | null, target: string): Promise<void> {
    const whom = short('target', target, MAX_TARGET_BYTES);
    await this.ask({ type: 'unban', room: roomOrNull(room), target: whom, penalty });
  }

  async #punished(penalty: Penalty, room: string | null): Promise<readonly BanRow[]> {
    const rows = await this.ask({ type: 'bans', room: roomOrNull(room), penalty });
    return rows.flatMap((row) => (row.type === 'bans' ? row.bans : []));
  }
}

const MAX_TARGET_BYTES = MAX_NAME_CHARS * 4;

/** Page by page towards the past, until there are enough messages or a page has fewer than it could. */
async function backwards(
  room: RoomName,
  beforeSeq: number | undefined,
  limit: number,
  fetch: (before: number | null, count: number) => Promise<readonly Event[]>,
): Promise<readonly RoomMessage[]> {
  let messages: readonly PastMessage[] = [];
  while (messages.length < limit) {
    const count = Math.min(MAX_PAGE_MESSAGES, limit - messages.length);
    const rows = await fetch(messages[0]?.seq ?? beforeSeq ?? null, count);
    const page = rows.flatMap((row) => (row.type === 'history' ? row.messages : []));
    messages = [...page, ...messages];
    if (page.length < count) break;
  }
  return messages.map((past) => ({ ...past, type: 'message', room, isHistory: true }));
}

/** The one row of that type which the answer must have. */
function only<T extends Event['type']>(rows: readonly Event[], type: T): Extract<Event, { readonly type: T }> {
  const row = rows.find((one) => one.type === type);
  if (row === undefined) throw new BcastError('BAD_MESSAGE', { cause: new Error(`no ${type}`) });
  return row as Extract<Event, { readonly type: T }>;
}

export function membersIn(rows: readonly Event[]): readonly MemberRow[] {
  return rows.flatMap((row) => (row.type === 'members' ? row.members : []));
}

function roomOrNull(room: string | null): RoomName | null {
  return room === null ? null : requireRoomName(room);
}

/** Throws BAD_REQUEST for what the server would take for a broken message, and close the connection over. */
export function short<T extends string | null>(what: string, text: T, maxBytes: number): T {
  if (text !== null && utf8Length(text) > maxBytes) {
    throw new BcastError('BAD_REQUEST', { text: `The ${what} is longer than ${maxBytes} bytes.` });
  }
  return text;
}
