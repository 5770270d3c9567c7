import { encodeEvent } from '../../protocol/codec.ts';
import type { PresenceChange } from '../../protocol/messages.ts';
import type { Hub } from './hub.ts';
import type { Holder } from './ports.ts';
import type { Room } from './room.ts';
import { subjectOf, type User } from './user.ts';

/** A user as other nodes need it. */
export function holderOf(user: User): Holder {
  const { key, name, fps, isAdmin, account, away, sinceMs } = user;
  return { key, name, subject: subjectOf(user), fps, isAdmin, isRegistered: account !== null, away, sinceMs };
}

/** Tells everybody who watches the room, on this node and the others, that a user came, went or changed. */
export function announce(hub: Hub, room: Room, change: PresenceChange, user: User): void {
  hub.presence.announce(room, change);
  if (hub.backplane.isAlone) return;
  const bytes = plain(encodeEvent({ type: 'presence', room: room.name, changes: [change] }));
  void hub.backplane.setMember(room.key, holderOf(user), room.has(user), bytes);
}

/** As `announce`, of somebody who is on another node. */
export function announceOther(hub: Hub, room: Room, change: PresenceChange): void {
  hub.presence.announce(room, change);
  if (hub.backplane.isAlone) return;
  const bytes = plain(encodeEvent({ type: 'presence', room: room.name, changes: [change] }));
  hub.backplane.tellRoom(room.key, { type: 'event', bytes, isForWatchers: true });
}

/** A session is in a room, or out, without anybody being told: the user is there by another session too, or was put out. */
export function noteMember(hub: Hub, room: Room, user: User): void {
  if (!hub.backplane.isAlone) void hub.backplane.setMember(room.key, holderOf(user), room.has(user), null);
}

/** What is known of a user has changed: other nodes may have sessions of it too. */
export function describe(hub: Hub, user: User): void {
  if (hub.backplane.isAlone) return;
  const holder = holderOf(user);
  void hub.backplane.describe(holder);
  hub.backplane.tellAll({ type: 'described', holder });
}

/** An encoded event without the length in front. */
export function plain(encoded: Uint8Array): Uint8Array {
  return encoded.subarray(4);
}
