import { BcastError } from '../errors.ts';
import {
  MAX_BODY_BYTES,
  MAX_MOTD_BYTES,
  MAX_NAME_CHARS,
  MAX_PAGE_MESSAGES,
  MAX_PASSWORD_BYTES,
  MAX_REASON_BYTES,
  MAX_SEARCH_BYTES,
  MAX_TOPIC_BYTES,
  ROOM_CODE_CHARS,
} from '../limits.ts';
import { NAME_RULE, type RoomName, toRoomName, toUserName, type UserName } from './names.ts';
import {
  bool,
  type Field,
  hex,
  type Infer,
  list,
  named,
  nullable,
  oneOf,
  parsed,
  record,
  type Shape,
  text,
  uint,
} from './schema.ts';
import { decodeBase64, encodeBase64 } from './text.ts';

/** The SHA-256 of an identity's signing key as people see it: `SHA256:` and 43 characters of base64. */
export type Fingerprint = string;
/** A UUIDv7 made by the sender, as 32 hex digits. */
export type MessageId = string;

const req = named('request-id', uint(0xffff_ffff));
const seq = named('seq', uint());
const timeMs = named('time-ms', uint());
const durationMs = named('duration-ms', uint());
const count = uint(0xffff_ffff);
const messageId: Field<MessageId> = named('message-id', hex(16));
const incarnation = named('incarnation', hex(8));
const body = named('body', text(MAX_BODY_BYTES));
const reason = named('reason', text(MAX_REASON_BYTES));
const topic = named('topic', text(MAX_TOPIC_BYTES));
const kind = named('kind', oneOf('text', 'action'));
const role = named('role', oneOf('member', 'moderator', 'owner', 'admin'));
const change = named('change', oneOf('join', 'leave', 'nick', 'away', 'back', 'kick', 'ban', 'role', 'mute', 'unmute'));
/** Who may enter: everybody, or who knows the room's code. */
const access = named('access', oneOf('open', 'locked'));
/** Compared as it is; a wrong one of any form is only a wrong one. */
const roomCode = named('room-code', text(ROOM_CODE_CHARS * 4));
const password = named('password', text(MAX_PASSWORD_BYTES));
/** `ban` keeps out, `mute` keeps silent. */
const penalty = named('penalty', oneOf('ban', 'mute'));
const removal = named('removal', oneOf('kick', 'ban'));
const userName = parsed<UserName>('user-name', MAX_NAME_CHARS * 4, toUserName, () => nameError('NAME_INVALID'));
const roomName = parsed<RoomName>('room-name', MAX_NAME_CHARS * 4, toRoomName, () => nameError('ROOM_NAME_INVALID'));
/** What a ban is laid on: a name, an address or a fingerprint. */
const target = named('target', text(MAX_NAME_CHARS * 4));

const fingerprint: Field<Fingerprint> = {
  cddl: 'fingerprint',
  rules: [{ name: 'fingerprint', is: 'bstr .size 32' }],
  write(writer, value) {
    const digest = encodeBase64(value.slice('SHA256:'.length));
    writer.head('bytes', digest.length);
    writer.raw(digest);
  },
  read: (reader) => `SHA256:${decodeBase64(reader.bytes(32))}`,
};

const past = record('past-message', { seq, ts: timeMs, from: userName, fp: fingerprint, id: messageId, kind, body });
const memberRow = record('member', { name: userName, role, away: nullable(reason) });
const roomRow = record('room', {
  room: roomName,
  members: count,
  access,
  /** Null also for a locked room: what is said of it stays in it. */
  topic: nullable(topic),
});
const changeRow = record('presence-change', {
  change,
  name: userName,
  /** The new name of a `nick`, the actor of a `kick`, `ban`, `role`, `mute` or `unmute`. */
  other: nullable(userName),
  /** Away text, reason, or role. */
  text: nullable(reason),
});
const banRow = record('ban', { target, by: userName, untilMs: nullable(timeMs), reason: nullable(reason) });

/** What a client asks. Each carries `req`, and each is answered by exactly one `ok` or `error` with the same. */
export const REQUESTS = {
  hello: shape(16, { req, name: userName, agent: text(64), password: nullable(password) }),
  ping: shape(17, { req }),
  join: shape(18, {
    req,
    room: roomName,
    watch: bool,
    /** For a locked room. */
    code: nullable(roomCode),
    /** Only make a room, of this kind; a room that is there already is refused. */
    create: nullable(access),
  }),
  leave: shape(19, { req, room: roomName }),
  say: shape(20, {
    req,
    id: messageId,
    /** It may have been stored before, on a connection that was lost or by an earlier process: look its id up first. */
    again: bool,
    room: roomName,
    kind,
    body,
  }),
  tell: shape(21, { req, id: messageId, to: userName, kind, body }),
  nick: shape(22, { req, name: userName }),
  topic: shape(23, { req, room: roomName, topic: nullable(topic) }),
  away: shape(24, { req, text: nullable(reason) }),
  typing: shape(25, { req, room: roomName }),
  names: shape(26, { req, room: roomName }),
  rooms: shape(27, { req }),
  whois: shape(28, { req, name: userName }),
  history: shape(29, {
    req,
    room: roomName,
    /** Only messages with a greater seq; given, the oldest of them come first in line. */
    after: nullable(seq),
    /** Only messages with a smaller seq. */
    before: nullable(seq),
    /** Only messages stored at or after this moment. */
    sinceMs: nullable(timeMs),
    limit: uint(MAX_PAGE_MESSAGES),
  }),
  kick: shape(30, { req, room: nullable(roomName), name: userName, reason: nullable(reason) }),
  ban: shape(31, {
    req,
    room: nullable(roomName),
    target,
    penalty,
    durationMs: nullable(durationMs),
    reason: nullable(reason),
  }),
  unban: shape(32, { req, room: nullable(roomName), target, penalty }),
  bans: shape(33, { req, room: nullable(roomName), penalty }),
  /** What the server says of itself to anybody. May be asked once before the hello. */
  status: shape(34, { req }),
  /** Makes a new code for a locked room. */
  code: shape(35, { req, room: roomName }),
  role: shape(36, { req, room: roomName, name: userName, role }),
  register: shape(37, { req, password: nullable(password) }),
  unregister: shape(38, { req }),
  retain: shape(39, { req, room: roomName, on: bool }),
  motd: shape(40, { req, text: nullable(text(MAX_MOTD_BYTES)) }),
  invite: shape(41, { req, room: roomName, name: userName, code: nullable(roomCode) }),
  follow: shape(42, { req, name: userName, on: bool }),
  follows: shape(43, { req }),
  publish: shape(44, { req, id: messageId, kind, body }),
  mark: shape(45, {
    req,
    room: roomName,
    /** Nothing up to this seq is missing here. */
    delivered: seq,
    /** A person has seen everything up to it. */
    read: seq,
  }),
  receipts: shape(46, { req, room: roomName, seq }),
  search: shape(47, {
    req,
    room: roomName,
    words: text(MAX_SEARCH_BYTES),
    /** Only messages with a smaller seq. */
    before: nullable(seq),
    limit: uint(MAX_PAGE_MESSAGES),
  }),
} as const;

/** What a server says: answers (with `req`) and events (without). */
export const EVENTS = {
  /** `seq` and `ts` are there when the request stored a message. */
  ok: shape(1, { req, seq: nullable(seq), ts: nullable(timeMs) }),
  /** Without `req` it is about the connection, which then closes. */
  error: shape(2, {
    req: nullable(req),
    code: uint(65_535),
    text: reason,
    retryAfterMs: nullable(durationMs),
    untilMs: nullable(timeMs),
  }),
  welcome: shape(64, {
    req,
    name: userName,
    role,
    /** The name is registered, and this session's. */
    registered: bool,
    server: text(64),
    maxBodyBytes: uint(MAX_BODY_BYTES),
    idleTimeoutMs: durationMs,
    /** How often the server would like to be pinged. */
    pingIntervalMs: durationMs,
    motd: nullable(text(MAX_MOTD_BYTES)),
  }),
  joined: shape(65, {
    req,
    room: roomName,
    incarnation,
    /** The seq of the newest message when joining; what comes live starts right after it. 0: none yet. */
    last: seq,
    /** The oldest seq that history still has; last + 1 when it has none. */
    first: seq,
    /** How many messages history keeps. */
    keep: count,
    /** For how long. */
    keepMs: durationMs,
    access,
    /** Of a locked room that this very request has made; nobody is ever told again. */
    code: nullable(roomCode),
    role,
    owner: nullable(userName),
    members: count,
    topic: nullable(topic),
  }),
  // `room`, `from` and `fp` stand first because they are encoded once per member and put in front of each message.
  message: shape(66, {
    room: roomName,
    from: userName,
    fp: fingerprint,
    kind,
    seq,
    ts: timeMs,
    id: messageId,
    body,
  }),
  private: shape(67, { from: userName, fp: fingerprint, to: userName, kind, ts: timeMs, id: messageId, body }),
  presence: shape(68, { room: roomName, changes: list(changeRow) }),
  typing: shape(69, { room: roomName, name: userName }),
  topic: shape(70, { room: roomName, topic: nullable(topic), by: userName, ts: timeMs }),
  /** History no longer has the messages from `first` to `last`. */
  gap: shape(71, { req, room: roomName, first: seq, last: seq }),
  /** The send queue overflowed and room messages were left out; ask history for what comes after your last seq. */
  lagged: shape(72, { room: roomName, dropped: count }),
  history: shape(73, { req, room: roomName, messages: list(past, MAX_PAGE_MESSAGES) }),
  members: shape(74, { req, room: roomName, members: list(memberRow) }),
  rooms: shape(75, { req, rooms: list(roomRow) }),
  user: shape(76, {
    req,
    name: userName,
    fp: fingerprint,
    role,
    away: nullable(reason),
    rooms: list(roomName),
    sessions: count,
    /** When it came, or with no sessions, when it was last here. */
    sinceMs: timeMs,
    /** Null: it has sessions on another node, which alone knows. */
    idleMs: nullable(durationMs),
    registered: bool,
  }),
  bans: shape(77, { req, bans: list(banRow) }),
  /** You were taken out of a room. */
  removed: shape(78, {
    room: roomName,
    removal,
    by: userName,
    reason: nullable(reason),
    untilMs: nullable(timeMs),
  }),
  /** Your own name changed, by `nick` in this or another of your sessions. */
  renamed: shape(79, { name: userName }),
  /** Null is what the server keeps to itself. */
  status: shape(80, {
    req,
    server: text(64),
    uptimeMs: nullable(durationMs),
    users: nullable(count),
    rooms: nullable(count),
  }),
  code: shape(81, { req, room: roomName, code: roomCode }),
  invited: shape(82, { room: roomName, by: userName, code: nullable(roomCode) }),
  follows: shape(83, { req, names: list(userName) }),
  published: shape(84, { from: userName, fp: fingerprint, kind, ts: timeMs, id: messageId, body }),
  receipts: shape(85, {
    req,
    room: roomName,
    seq,
    /** Users in the room, and how many of them have it, and have read it. */
    members: count,
    delivered: count,
    read: count,
    readers: list(userName),
  }),
  /** How far back a search looked: what is older than `from` may hold more. */
  searched: shape(86, { req, room: roomName, from: seq }),
  /** Said, but the store is out of reach: it comes again as `message`, or as its sender's `ok`, once it is stored. */
  unstored: shape(87, { room: roomName, from: userName, fp: fingerprint, kind, ts: timeMs, id: messageId, body }),
} as const;

type Messages<T extends Readonly<Record<string, MessageShape<Shape>>>> = {
  [K in keyof T & string]: T[K] extends MessageShape<infer S> ? { readonly type: K } & Infer<S> : never;
};

export type Requests = Messages<typeof REQUESTS>;
export type Events = Messages<typeof EVENTS>;
export type Request = Requests[keyof Requests];
export type Event = Events[keyof Events];
export type Role = Events['welcome']['role'];
export type Access = Events['joined']['access'];
export type Penalty = Requests['ban']['penalty'];
export type MessageKind = Requests['say']['kind'];
export type PastMessage = Events['history']['messages'][number];
export type PresenceChange = Events['presence']['changes'][number];
export type MemberRow = Events['members']['members'][number];
export type RoomRow = Events['rooms']['rooms'][number];
export type BanRow = Events['bans']['bans'][number];

/** A message's number on the wire and its fields in order. */
export interface MessageShape<S extends Shape> {
  readonly tag: number;
  readonly fields: S;
}

function shape<const S extends Shape>(tag: number, fields: S): MessageShape<S> {
  return { tag, fields };
}

function nameError(code: 'NAME_INVALID' | 'ROOM_NAME_INVALID'): BcastError {
  return new BcastError(code, { text: `A name is ${NAME_RULE}.` });
}
