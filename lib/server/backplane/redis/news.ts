import { MAX_MESSAGE_BYTES, MAX_NAME_CHARS, MAX_REASON_BYTES } from '../../../limits.ts';
import { CborReader, CborWriter } from '../../../protocol/cbor.ts';
import { EVENTS, type RoomRow } from '../../../protocol/messages.ts';
import { type NameKey, nameKey, toUserName } from '../../../protocol/names.ts';
import {
  blob,
  bool,
  type Field,
  type Infer,
  list,
  nullable,
  oneOf,
  parsed,
  record,
  type Shape,
  text,
  uint,
} from '../../../protocol/schema.ts';
import type { Holder, NetworkNews, RoomNews } from '../../hub/ports.ts';

/** Identities of one user: more than an account may have. */
const MAX_IDENTITIES = 100;
/** What an expelled user is told: a name, and a reason. */
const MAX_TEXT_BYTES = MAX_REASON_BYTES * 4;
/** An address, with its zone, or a fingerprint. */
const MAX_ADDRESS_BYTES = 128;
/** What one wrong code is counted under: address, identity and room. */
const MAX_FAILURES = 3;
/** Rooms in one answer; longer lists come as several. */
export const MAX_ROWS = 500;

const FINGERPRINT = /^SHA256:[A-Za-z0-9+/]{43}$/;

const { name, fp } = { ...EVENTS.renamed.fields, ...EVENTS.message.fields };
const { untilMs, reason, removal } = EVENTS.removed.fields;
const key = parsed<NameKey>('name-key', MAX_NAME_CHARS * 4, toNameKey, () => new Error('not a name'));
const subject = parsed<string>('subject', MAX_NAME_CHARS * 4 + 1, toSubject, () => new Error('not a subject'));
const place = uint();
const messageKey = text(128);
const bytes = blob(MAX_MESSAGE_BYTES);
const failure = text(MAX_ADDRESS_BYTES + MAX_NAME_CHARS * 4);
const token = uint(0xffff_ffff);

const holder = record('holder', {
  key,
  name,
  subject,
  fps: list(fp, MAX_IDENTITIES),
  isAdmin: bool,
  isRegistered: bool,
  away: nullable(text(MAX_REASON_BYTES)),
  sinceMs: place,
});

/** What nodes say of a room on its channel. `asserted`: who is in it by way of the node is to be read anew. */
export type RoomWord = RoomNews | { readonly type: 'asserted' };

/** What nodes say to all or to one. `rooms?` asks each for its rooms, `rooms` is an answer, `bye`: the node ends. */
export type NetworkWord =
  | NetworkNews
  | { readonly type: 'rooms?'; readonly token: number }
  | { readonly type: 'rooms'; readonly token: number; readonly isLast: boolean; readonly rows: readonly RoomRow[] }
  | { readonly type: 'bye' };

const ROOM_WORDS: Table<RoomWord> = {
  member: { holder, isHere: bool, bytes: nullable(bytes) },
  event: { bytes, isForWatchers: bool },
  reached: { seq: place },
  changed: {},
  forgotten: {},
  removed: { key, removal, by: name, reason, untilMs },
  mark: { subject, name, delivered: place, read: place },
  asserted: {},
  known: { fp },
};

const NETWORK_WORDS: Table<NetworkWord> = {
  tell: { key, id: nullable(messageKey), bytes },
  published: { subject, id: messageKey, bytes },
  network: {},
  expelled: { key, text: text(MAX_TEXT_BYTES) },
  account: { key },
  described: { holder },
  renamed: { key, subject, name },
  'rooms?': { token },
  rooms: { token, isLast: bool, rows: EVENTS.rooms.fields.rooms },
  bye: {},
  followed: { key },
  failed: { at: oneOf('login', 'code'), keys: list(failure, MAX_FAILURES) },
  proved: { key, address: text(MAX_ADDRESS_BYTES) },
  letIn: { address: text(MAX_ADDRESS_BYTES) },
};

type Table<W extends { readonly type: string }> = { readonly [T in W['type']]: Shape };

/** What one kind of channel carries: the node that says it, a space, and CBOR: what it is by its place in the table. */
interface Language<W> {
  encode(node: string, word: W): Buffer;
  /** Null for what is not well-formed in every part: everybody who can reach Redis can publish. */
  decode(payload: Buffer): { readonly node: string; readonly word: W } | null;
}

/** In front of what nodes say on a room's channel, which has the stored messages too. */
export const ROOM_MARK = '!';

export const roomLanguage = language<RoomWord>(ROOM_WORDS, ROOM_MARK);
export const networkLanguage = language<NetworkWord>(NETWORK_WORDS, '');

const writer = new CborWriter();
const NODE = /^[0-9a-f]{1,64}$/;
const MAX_NODE_CHARS = 64;
const SPACE = 32;

/** As it lies in Redis: text, because what scripts answer is read as text. */
export function encodeHolder(value: Holder): string {
  holder.write(writer, value);
  return Buffer.from(writer.take()).toString('base64');
}

/** Null for anything else: everybody who can reach Redis can write there. */
export function decodeHolder(encoded: unknown): Holder | null {
  if (typeof encoded !== 'string') return null;
  return attempt(() => {
    const reader = readerOf(Buffer.from(encoded, 'base64'));
    const value = holder.read(reader);
    reader.finish();
    return isSound(value) ? value : null;
  });
}

export function isNode(text: string): boolean {
  return NODE.test(text);
}

function language<W extends { readonly type: string }>(table: Table<W>, mark: string): Language<W> {
  const rows = Object.entries<Shape>(table).map(([type, shape]) => ({ type, fields: Object.entries(shape) }));
  return {
    encode(node, word) {
      const tag = rows.findIndex(({ type }) => type === word.type);
      writer.uint(tag);
      const values = word as unknown as Readonly<Record<string, unknown>>;
      try {
        for (const [field, { write }] of rows[tag]?.fields ?? []) write(writer, values[field]);
        return Buffer.concat([Buffer.from(`${mark}${node} `), writer.take()]);
      } finally {
        writer.truncate(0);
      }
    },
    decode(payload) {
      const end = payload.subarray(0, mark.length + MAX_NODE_CHARS + 1).indexOf(SPACE);
      const node = payload.toString('latin1', mark.length, Math.max(mark.length, end));
      if (!isNode(node) || payload.toString('latin1', 0, mark.length) !== mark) return null;
      return attempt(() => {
        const reader = readerOf(payload.subarray(end + 1));
        const row = rows[reader.uint(rows.length - 1)];
        const word: Record<string, unknown> = { type: row?.type };
        for (const [field, { read }] of row?.fields ?? []) word[field] = read(reader);
        reader.finish();
        const said = word['holder'] as Holder | undefined;
        return said === undefined || isSound(said) ? { node, word: word as unknown as W } : null;
      });
    },
  };
}

/** A slice of a Buffer would not be the copy that a slice of bytes is. */
function readerOf({ buffer, byteOffset, length }: Buffer): CborReader {
  return new CborReader(new Uint8Array(buffer, byteOffset, length));
}

function isSound(value: Infer<{ key: Field<NameKey>; name: typeof name; fps: Field<readonly string[]> }>): boolean {
  return nameKey(value.name) === value.key && value.fps.length > 0;
}

function attempt<T>(read: () => T | null): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}

function toNameKey(raw: string): NameKey | null {
  const valid = toUserName(raw);
  return valid !== null && nameKey(valid) === raw ? (raw as NameKey) : null;
}

function toSubject(raw: string): string | null {
  if (FINGERPRINT.test(raw)) return raw;
  return raw.startsWith('@') && toNameKey(raw.slice(1)) !== null ? raw : null;
}
