import type { NameKey } from '../../protocol/names.ts';
import type { StoredMessage } from '../hub/ports.ts';
import { unpackMessage } from './packed-message.ts';

/** What one batch of one node has added to a room. */
export interface FeedBatch {
  /** The node that stored it. */
  readonly origin: string;
  readonly incarnation: string;
  /** In seq order. */
  readonly messages: readonly StoredMessage[];
}

const HEAD = /^([0-9a-f]{1,64}) ([0-9a-f]{16}) ((?:\d{1,16}:\d{1,16}:\d{1,7},?)+)$/;
const LINE_FEED = 10;

/** Whose batch this is, without reading on: most of what a node hears of a room is what it has said itself. */
export function originOf(payload: Buffer): string {
  return payload.toString('latin1', 0, Math.max(0, payload.indexOf(32)));
}

/**
 * The batch that a script has published on a room's channel: node, incarnation, `seq:time:bytes` of each message, and the
 * messages. Null for anything else: everybody who can reach Redis can publish.
 */
export function decodeFeed(room: NameKey, payload: Buffer): FeedBatch | null {
  const end = payload.indexOf(LINE_FEED);
  const head = HEAD.exec(payload.toString('latin1', 0, Math.max(0, end)));
  if (head === null) return null;
  const [, origin = '', incarnation = '', places = ''] = head;
  const messages: StoredMessage[] = [];
  let at = end + 1;
  for (const place of places.split(',')) {
    const [seq = 0, ts = 0, bytes = 0] = place.split(':').map(Number);
    if (at + bytes > payload.length) return null;
    const message = unpackMessage(room, seq, ts, payload.toString('utf8', at, at + bytes));
    if (message === null) return null;
    messages.push(message);
    at += bytes;
  }
  return at === payload.length ? { origin, incarnation, messages } : null;
}
