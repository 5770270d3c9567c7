import { BcastError } from '../../errors.ts';
import type { MessageId, MessageKind } from '../../protocol/messages.ts';
import { type RoomName, requireRoomName, requireUserName, type UserName } from '../../protocol/names.ts';
import { decodeUtf8, utf8Length } from '../../protocol/text.ts';
import type { Piece } from './split.ts';

/** Where a message goes. */
export type Destination = { readonly room: RoomName } | { readonly to: UserName } | 'followers';

export interface Outgoing {
  readonly destination: Destination;
  readonly body: string;
  readonly bodyBytes: number;
  /** Given by the input; otherwise the client makes one. */
  readonly id?: MessageId;
  /** Given by the input; otherwise `text`. */
  readonly kind?: MessageKind;
}

/** How stdin becomes messages: a line each, all of it as one, NUL-separated records, or a JSON object a line. */
export type InputForm = 'lines' | 'whole' | 'null' | 'ndjson';

/** The delimiter of a form; null where there is none. */
export function delimiterOf(form: InputForm): number | null {
  return form === 'whole' ? null : form === 'null' ? 0 : 0x0a;
}

/** The most bytes a piece of input may have whose body has `maxBodyBytes`. */
export function maxPieceBytes(form: InputForm, maxBodyBytes: number): number {
  // JSON may spell each byte as \u00XX; the rest of the object is small. Otherwise the line ending comes on top.
  return form === 'ndjson' ? maxBodyBytes * 6 + 4_096 : maxBodyBytes + 2;
}

export interface ReadOptions {
  readonly form: InputForm;
  readonly destination: Destination;
  readonly keepEmpty: boolean;
  readonly maxBodyBytes: number;
}

/**
 * The message in a piece of input, or null for an empty one that is to be skipped. Nothing in it is interpreted. Throws
 * LINES_REJECTED with the reason for what is not UTF-8, is too long, or is not the JSON it should be.
 */
export function readOutgoing(piece: Piece, options: ReadOptions): Outgoing | null {
  const { form, destination, keepEmpty, maxBodyBytes } = options;
  if (piece.bytes === null) throw reject(`is longer than ${maxBodyBytes} bytes`);
  const text = textOf(piece.bytes, form);
  if (text === null) throw reject('is not valid UTF-8');
  if (text === '' && !(keepEmpty && form !== 'ndjson')) return null;
  const outgoing = form === 'ndjson' ? readObject(text, destination) : { destination, body: text };
  const bodyBytes = utf8Length(outgoing.body);
  if (bodyBytes > maxBodyBytes) throw reject(`is longer than ${maxBodyBytes} bytes`);
  return { ...outgoing, bodyBytes };
}

/** A line ending is not part of the text; in NUL-separated records there is none. */
function textOf(bytes: Uint8Array, form: InputForm): string | null {
  let end = bytes.length;
  if (form === 'whole' && bytes[end - 1] === 0x0a) end -= 1;
  const isLine = form === 'lines' || form === 'ndjson' || end < bytes.length;
  if (isLine && bytes[end - 1] === 0x0d) end -= 1;
  return decodeUtf8(bytes, 0, end);
}

function readObject(text: string, fallback: Destination): Omit<Outgoing, 'bodyBytes'> {
  const value = parseObject(text);
  const { body, id } = value;
  if (typeof body !== 'string') throw reject('has no "body" that is a text');
  if (!body.isWellFormed()) throw reject('has half a surrogate pair in its "body"');
  const base = { destination: destinationOf(value, fallback), body, ...kindOf(value) };
  if (id === undefined || id === null) return base;
  const hex = typeof id === 'string' ? id.replaceAll('-', '').toLowerCase() : '';
  if (!/^[0-9a-f]{32}$/.test(hex)) throw reject('has an "id" that is not a UUID');
  return { ...base, id: hex };
}

function kindOf({ kind }: Readonly<Record<string, unknown>>): { readonly kind?: MessageKind } {
  if (kind === undefined || kind === null) return {};
  if (kind === 'text' || kind === 'action') return { kind };
  throw reject('has a "kind" that is neither "text" nor "action"');
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw reject('is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw reject('is not a JSON object');
  return value as Readonly<Record<string, unknown>>;
}

/** `to` goes before `room`, and both before the command line. */
function destinationOf(value: Readonly<Record<string, unknown>>, fallback: Destination): Destination {
  const { to, room } = value;
  try {
    if (typeof to === 'string') return { to: requireUserName(to) };
    if (typeof room === 'string') return { room: requireRoomName(room) };
  } catch (error) {
    throw reject(`names nobody and no room: ${(error as BcastError).message}`);
  }
  if ((to ?? null) === null && (room ?? null) === null) return fallback;
  throw reject('has a "to" or a "room" that is not a text');
}

function reject(reason: string): BcastError {
  return new BcastError('LINES_REJECTED', { text: reason });
}
