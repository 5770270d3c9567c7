import { CborWriter } from './cbor.ts';
import { EVENTS, type Events } from './messages.ts';

type RoomMessage = Events['message'];
const { message, ok } = EVENTS;
const scratch = new CborWriter(256);

/** What of a message its sender made. */
export type MessageRest = Pick<RoomMessage, 'kind' | 'id' | 'body'>;

/**
 * The encoded front of every `message` from one member to one room: array head, number, room, name and fingerprint.
 * Encoding it once per member leaves only the rest for each message.
 */
export function messagePrefix({ room, from, fp }: Pick<RoomMessage, 'room' | 'from' | 'fp'>): Uint8Array {
  scratch.head('array', Object.keys(message.fields).length + 1);
  scratch.uint(message.tag);
  message.fields.room.write(scratch, room);
  message.fields.from.write(scratch, from);
  message.fields.fp.write(scratch, fp);
  return scratch.take();
}

/** Appends one `message` with its length in front; the bytes are the same as `appendEvent` would write. */
export function appendMessage(
  writer: CborWriter,
  prefix: Uint8Array,
  { kind, id, body }: MessageRest,
  seq: number,
  ts: number,
): void {
  const frame = writer.openFrame();
  writer.raw(prefix);
  message.fields.kind.write(writer, kind);
  writer.uint(seq);
  writer.uint(ts);
  writer.hex(id);
  writer.text(body);
  writer.closeFrame(frame);
}

/** Appends the `ok` of a stored message; the bytes are the same as `appendEvent` would write. */
export function appendStored(writer: CborWriter, req: number, seq: number, ts: number): void {
  const frame = writer.openFrame();
  writer.head('array', 4);
  writer.uint(ok.tag);
  writer.uint(req);
  writer.uint(seq);
  writer.uint(ts);
  writer.closeFrame(frame);
}
