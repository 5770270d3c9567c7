import { decodeEvent } from '../../lib/protocol/codec.ts';
import { EVENTS, type Event, type Request } from '../../lib/protocol/messages.ts';
import { type RoomName, toRoomName, toUserName, type UserName } from '../../lib/protocol/names.ts';
import { LENGTH_PREFIX_BYTES } from '../../lib/wire/frame.ts';
import type { Suite } from '../../lib/wire/suites.ts';
import { BODY_BYTES } from '../load/body.ts';
import { type BcastLink, openBcast } from './bcast-link.ts';
import type { Endpoint, OnBody } from './target.ts';

export interface Session {
  readonly link: BcastLink;
  /** Resolves when the request with that id is answered by `ok`. */
  answered(req: number): Promise<void>;
  ask(request: Request): Promise<void>;
}

/** What a session does with what it is sent. */
export interface SessionHandlers {
  readonly onBody: OnBody;
  /** Pages and whatever else belongs to an answer; without it they are a fault. */
  readonly onPart?: (event: Event) => void;
  /** A message was shown that is not stored yet; it comes again. */
  readonly onUnstored: () => void;
  readonly onLost: (error: Error) => void;
}

/** Connects, says a name, and enters the room. */
export async function enterRoom(
  endpoint: Endpoint,
  suite: Suite,
  { user, room }: { readonly user: string; readonly room: string },
  handlers: SessionHandlers,
): Promise<Session> {
  const session = await openSession(endpoint, suite, handlers);
  await session.ask({ type: 'hello', req: 1, name: userName(user), agent: 'bench', password: null });
  // Not watching: neither peer here tells members who comes and goes.
  await session.ask({ type: 'join', req: 2, room: roomName(room), watch: false, code: null, create: null });
  return session;
}

async function openSession(endpoint: Endpoint, suite: Suite, handlers: SessionHandlers): Promise<Session> {
  const { onBody, onPart, onUnstored, onLost } = handlers;
  let awaited: { readonly req: number; readonly resolve: () => void } | undefined;
  const onMessage = (bytes: Buffer, at: number, length: number) => {
    const tag = messageTag(bytes, at);
    if (tag === EVENTS.message.tag) return onBody(bytes, at + length - BODY_BYTES);
    if (tag === EVENTS.unstored.tag) return onUnstored();
    // A pipelining publisher is answered as often as it speaks, and awaits none of it.
    if (tag === EVENTS.ok.tag && awaited === undefined) return;
    const event = decodeEvent(bytes.subarray(at + LENGTH_PREFIX_BYTES, at + length));
    if (event.type === 'ok' && event.req === awaited?.req) {
      const { resolve } = awaited;
      awaited = undefined;
      resolve();
    } else if (onPart !== undefined && PARTS.has(event.type)) onPart(event);
    else if (!EXPECTED.has(event.type)) onLost(new Error(`bcast said: ${JSON.stringify(event)}`));
  };
  const link = await openBcast(endpoint, suite, onMessage, onLost);
  const answered = (req: number): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    awaited = { req, resolve };
    return promise;
  };
  const ask = (request: Request): Promise<void> => {
    link.send(request);
    return answered(request.req);
  };
  return { link, answered, ask };
}

/** Anything else, such as an error or `lagged`, ends the measuring. */
const EXPECTED: ReadonlySet<Event['type']> = new Set(['ok', 'welcome', 'joined']);

/** Of the answer to a reader. */
const PARTS: ReadonlySet<Event['type']> = new Set(['history', 'searched']);

/** The message's number: the first element of the CBOR array, one byte or 0x18 and one more (RFC 8949 §3). */
function messageTag(bytes: Buffer, at: number): number {
  const head = bytes[at + LENGTH_PREFIX_BYTES + 1] as number;
  return head === 0x18 ? (bytes[at + LENGTH_PREFIX_BYTES + 2] as number) : head;
}

/** The bench's own names are valid by construction. */
const userName = (text: string): UserName => toUserName(text) as UserName;
export const roomName = (text: string): RoomName => toRoomName(text) as RoomName;
