import { CborWriter } from './cbor.ts';
import { EVENTS, type Events } from './messages.ts';

type RoomMessage = Events['message'];
const { fields, tag } = EVENTS.message;
const scratch = new CborWriter(256);

/** What differs from one message to the next of the same member in the same room. */
export type MessageRest = Pick<RoomMessage, 'kind' | 'seq' | 'ts' | 'id' | 'body'>;

/**
 * The encoded front of every `message` from one member to one room: array head, number, room, name and fingerprint.
 * Encoding it once per member leaves only the rest for each message.
 */
export function messagePrefix({ room, from, fp }: Pick<RoomMessage, 'room' | 'from' | 'fp'>): Uint8Array {
  scratch.head('array', Object.keys(fields).length + 1);
  scratch.uint(tag);
  fields.room.write(scratch, room);
  fields.from.write(scratch, from);
  fields.fp.write(scratch, fp);
  return scratch.take();
}

/** Appends one `message` with its length in front; the bytes are the same as `appendEvent` would write. */
export function appendMessage(writer: CborWriter, prefix: Uint8Array, rest: MessageRest): void {
  const frame = writer.openFrame();
  writer.raw(prefix);
  fields.kind.write(writer, rest.kind);
  writer.uint(rest.seq);
  writer.uint(rest.ts);
  writer.hex(rest.id);
  writer.text(rest.body);
  writer.closeFrame(frame);
}
