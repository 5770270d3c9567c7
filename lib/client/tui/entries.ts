import { nameKey, type UserName } from '../../protocol/names.ts';
import type { PrivateMessage, PublishedMessage, RoomMessage, UnstoredMessage } from '../events.ts';
import { mentions } from './format.ts';
import type { MessageEntry } from './state.ts';

/** A stored message as a line of a window. `me` is our name; a private message mentions nobody. */
export function messageEntry(
  message: RoomMessage | UnstoredMessage | PrivateMessage | PublishedMessage,
  me: UserName | null,
  isPrivate: boolean,
): MessageEntry {
  const { ts, from, kind, body } = message;
  const isOwn = isSameName(from, me);
  const mention = !isOwn && !isPrivate && me !== null && mentions(body, me) ? me : null;
  const isPublished = message.type === 'published';
  return { type: 'message', ts, from, kind, body, isOwn, isStored: true, isPublished, mention };
}

export function isSameName(a: UserName, b: UserName | null): boolean {
  return b !== null && nameKey(a) === nameKey(b);
}
