import type { MessageKind } from '../../../protocol/messages.ts';
import type { NameKey, UserName } from '../../../protocol/names.ts';
import { decodeHex, decodeUtf8, encodeHexInto, encodeUtf8Into, maxUtf8Bytes } from '../../../protocol/text.ts';
import type { Draft, StoredMessage } from '../../hub/ports.ts';

/**
 * A message as bytes. All numbers are big-endian; texts are UTF-8:
 *
 *     size u32 (of the whole entry) | ts f64 | kind u8 | length of from u8 | id 16 | length of fp u8 | fp | from | body
 *
 * The seq is not in it: entries lie in a row, and the row says the first. Bit 6 of the kind says that the body was left
 * out; bit 7, on the way to the store, that the message may have been there before.
 */
const AT = { ts: 4, kind: 12, fromLength: 13, id: 14, fpLength: 30, fp: 31 } as const;
const ID_BYTES = 16;
const AGAIN = 0x80;
const BLANK = 0x40;
const KINDS: readonly MessageKind[] = ['text', 'action'];

/** Messages on their way to the store, in order. */
export interface Batch {
  readonly rooms: readonly NameKey[];
  /** For each entry the place of its room in `rooms`; absent where there is one room only. */
  readonly roomOf: Uint32Array<ArrayBuffer> | undefined;
  readonly count: number;
  readonly entries: Uint8Array<ArrayBuffer>;
}

let scratch = new Uint8Array(65_536);

/** The drafts as bytes of their own, which may be given to another thread. */
export function encodeBatch(drafts: readonly Draft[]): Batch {
  let end = 0;
  for (const draft of drafts) {
    const most = AT.fp + maxUtf8Bytes(draft.fp) + maxUtf8Bytes(draft.from) + maxUtf8Bytes(draft.body);
    if (end + most > scratch.length) scratch = grown(scratch, end, end + most);
    end = encodeEntry(scratch, end, draft);
  }
  return { ...roomsOf(drafts), count: drafts.length, entries: scratch.slice(0, end) };
}

function encodeEntry(bytes: Uint8Array, start: number, { ts, kind, isAgain, id, fp, from, body }: Draft): number {
  encodeHexInto(id, bytes, start + AT.id);
  const fromStart = start + AT.fp + encodeUtf8Into(fp, bytes, start + AT.fp);
  const bodyStart = fromStart + encodeUtf8Into(from, bytes, fromStart);
  const end = bodyStart + encodeUtf8Into(body, bytes, bodyStart);
  const view = viewOf(bytes);
  view.setUint32(start, end - start);
  view.setFloat64(start + AT.ts, ts);
  bytes[start + AT.kind] = KINDS.indexOf(kind) | (isAgain ? AGAIN : 0);
  bytes[start + AT.fpLength] = fromStart - start - AT.fp;
  bytes[start + AT.fromLength] = bodyStart - fromStart;
  return end;
}

function roomsOf(drafts: readonly Draft[]): Pick<Batch, 'rooms' | 'roomOf'> {
  const first = drafts[0]?.room;
  if (first === undefined || drafts.every(({ room }) => room === first)) {
    return { rooms: first === undefined ? [] : [first], roomOf: undefined };
  }
  const places = new Map<NameKey, number>();
  const roomOf = Uint32Array.from(drafts, ({ room }) => {
    const place = places.get(room) ?? places.size;
    places.set(room, place);
    return place;
  });
  return { rooms: [...places.keys()], roomOf };
}

/** The messages in entries that lie in a row. */
export function decodeEntries(bytes: Uint8Array, room: NameKey, firstSeq: number): StoredMessage[] {
  const messages: StoredMessage[] = [];
  for (let at = 0; at < bytes.length; at = entryEnd(bytes, at)) {
    messages.push(decodeEntry(bytes, at, room, firstSeq + messages.length));
  }
  return messages;
}

/** The message in the entry at `at`. */
export function decodeEntry(bytes: Uint8Array, at: number, room: NameKey, seq: number): StoredMessage {
  const fromStart = at + AT.fp + (bytes[at + AT.fpLength] as number);
  return {
    room,
    id: decodeHex(bytes, at + AT.id, at + AT.id + ID_BYTES),
    from: textAt(bytes, fromStart, bodyStart(bytes, at)) as UserName,
    fp: textAt(bytes, at + AT.fp, fromStart),
    kind: KINDS[(bytes[at + AT.kind] as number) & ~BLANK] as MessageKind,
    body: bodyOf(bytes, at),
    ts: entryTs(bytes, at),
    seq,
  };
}

export function entryEnd(bytes: Uint8Array, at: number): number {
  return at + viewOf(bytes).getUint32(at);
}

export function entryTs(bytes: Uint8Array, at: number): number {
  return viewOf(bytes).getFloat64(at + AT.ts);
}

export function setEntryTs(bytes: Uint8Array, at: number, ts: number): void {
  viewOf(bytes).setFloat64(at + AT.ts, ts);
}

/** Whether the message may have been stored before; it is not said a second time. */
export function takeAgain(bytes: Uint8Array, at: number): boolean {
  const kind = bytes[at + AT.kind] as number;
  bytes[at + AT.kind] = kind & ~AGAIN;
  return kind >= AGAIN;
}

/** What tells the message from all others of its room: its id and its sender's fingerprint. */
export function identityOf(bytes: Uint8Array, at: number): string {
  const end = at + AT.fp + (bytes[at + AT.fpLength] as number);
  return Buffer.from(bytes.buffer, bytes.byteOffset + at + AT.id, end - at - AT.id).toString('latin1');
}

export function bodyOf(bytes: Uint8Array, at: number): string {
  return textAt(bytes, bodyStart(bytes, at), entryEnd(bytes, at));
}

/** The same entries without what was said. */
export function withoutBodies(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const blank = new Uint8Array(bytes.length);
  let end = 0;
  for (let at = 0; at < bytes.length; at = entryEnd(bytes, at)) {
    const size = bodyStart(bytes, at) - at;
    blank.set(bytes.subarray(at, at + size), end);
    viewOf(blank).setUint32(end, size);
    blank[end + AT.kind] = (bytes[at + AT.kind] as number) | BLANK;
    end += size;
  }
  return blank.slice(0, end);
}

/** Whether the body was left out. */
export function isBlank(bytes: Uint8Array, at: number): boolean {
  return ((bytes[at + AT.kind] as number) & BLANK) !== 0;
}

/** The position of the entry that many places on. */
export function skipEntries(bytes: Uint8Array, count: number): number {
  let at = 0;
  for (let i = 0; i < count && at < bytes.length; i += 1) at = entryEnd(bytes, at);
  return at;
}

function bodyStart(bytes: Uint8Array, at: number): number {
  return at + AT.fp + (bytes[at + AT.fpLength] as number) + (bytes[at + AT.fromLength] as number);
}

function textAt(bytes: Uint8Array, start: number, end: number): string {
  return decodeUtf8(bytes, start, end) ?? '';
}

function grown(bytes: Uint8Array, used: number, least: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.max(bytes.length * 2, least));
  larger.set(bytes.subarray(0, used));
  return larger;
}

let viewed: Uint8Array | undefined;
let view: DataView<ArrayBufferLike> = new DataView(scratch.buffer);

/** Of the bytes asked for last; making a view for each entry would cost more than reading it. */
function viewOf(bytes: Uint8Array): DataView {
  if (bytes !== viewed) {
    viewed = bytes;
    view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }
  return view;
}
