import { BcastError } from '../errors.ts';
import { CborReader, CborWriter } from './cbor.ts';
import { EVENTS, type Event, type MessageShape, REQUESTS, type Request, type Requests } from './messages.ts';
import type { Field, Shape } from './schema.ts';

type Table = Readonly<Record<string, MessageShape<Shape>>>;

interface Entry {
  readonly type: string;
  readonly tag: number;
  readonly fields: readonly (readonly [string, Field<unknown>])[];
}

/** Both directions of one half of the conversation. */
interface Half {
  readonly byTag: readonly (Entry | undefined)[];
  readonly byType: ReadonlyMap<string, Entry>;
}

const requests = half(REQUESTS);
const events = half(EVENTS);
const SAY = requests.byType.get('say');
const say = REQUESTS.say.fields;
const writer = new CborWriter();
const reader = new CborReader(new Uint8Array(0));

/** The message as bytes with its length in front (u32 big-endian), as the record stream carries it. */
export function encodeRequest(request: Request): Uint8Array {
  writeMessage(writer, requests, request);
  return writer.take();
}

/** The message as bytes with its length in front (u32 big-endian), as the record stream carries it. */
export function encodeEvent(event: Event): Uint8Array {
  writeMessage(writer, events, event);
  return writer.take();
}

/** Appends the event, with its length in front, to what `target` already holds. */
export function appendEvent(target: CborWriter, event: Event): void {
  writeMessage(target, events, event);
}

/**
 * The request in `bytes` (without the length). Throws BAD_MESSAGE for anything else, and NAME_INVALID or
 * ROOM_NAME_INVALID for a request that names what cannot be a name.
 */
export function decodeRequest(bytes: Uint8Array): Request {
  return readMessage(requests, bytes) as unknown as Request;
}

/** The event in `bytes` (without the length). Throws BAD_MESSAGE for anything else. */
export function decodeEvent(bytes: Uint8Array): Event {
  return readMessage(events, bytes) as unknown as Event;
}

/** The id of the request in `bytes`, when its beginning can be read, so that a refusal can name it; otherwise null. */
export function requestIdOf(bytes: Uint8Array): number | null {
  try {
    reader.reset(bytes);
    reader.head('array');
    return requests.byTag[reader.uint(0xff)] === undefined ? null : reader.uint(0xffff_ffff);
  } catch {
    return null;
  }
}

function half(table: Table): Half {
  const byTag: Entry[] = [];
  const byType = new Map<string, Entry>();
  for (const [type, { tag, fields }] of Object.entries(table)) {
    const entry = { type, tag, fields: Object.entries(fields) };
    byTag[tag] = entry;
    byType.set(type, entry);
  }
  return { byTag, byType };
}

function writeMessage(target: CborWriter, { byType }: Half, message: Request | Event): void {
  const entry = byType.get(message.type) as Entry;
  const frame = target.openFrame();
  target.head('array', entry.fields.length + 1);
  target.uint(entry.tag);
  const values = message as unknown as Readonly<Record<string, unknown>>;
  try {
    for (const [key, field] of entry.fields) field.write(target, values[key]);
  } catch (error) {
    // Half a message left behind would stand in front of the next one.
    target.truncate(frame);
    throw error;
  }
  target.closeFrame(frame);
}

function readMessage({ byTag }: Half, bytes: Uint8Array): Record<string, unknown> {
  reader.reset(bytes);
  const items = reader.head('array');
  const entry = byTag[reader.uint(0xff)];
  if (entry === undefined || items !== entry.fields.length + 1) {
    throw new BcastError('BAD_MESSAGE', { cause: new Error('unknown type or wrong number of fields') });
  }
  const message = entry === SAY ? readSay() : readAny(entry);
  reader.finish();
  return message;
}

function readAny({ type, fields }: Entry): Record<string, unknown> {
  const message: Record<string, unknown> = { type };
  for (const [key, field] of fields) message[key] = field.read(reader);
  return message;
}

/** The same, written out for the request there is most of: an object that grows by a key at a time costs three times its size. */
function readSay(): Requests['say'] {
  return {
    type: 'say',
    req: say.req.read(reader),
    id: say.id.read(reader),
    again: say.again.read(reader),
    room: say.room.read(reader),
    kind: say.kind.read(reader),
    body: say.body.read(reader),
  };
}
