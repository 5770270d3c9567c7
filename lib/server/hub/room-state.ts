import { BcastError } from '../../errors.ts';
import { MAX_TOPIC_BYTES } from '../../limits.ts';
import type { Access, Fingerprint, Role } from '../../protocol/messages.ts';
import { type RoomName, toRoomName, toUserName, type UserName } from '../../protocol/names.ts';
import { utf8Length } from '../../protocol/text.ts';
import { type Ban, parseTarget } from './bans.ts';

/** An identity with a role in a room, and the name it had when it got it. */
export interface Grant {
  readonly fp: Fingerprint;
  readonly name: UserName;
  readonly role: 'moderator' | 'owner';
}

/** What a room is, beside what was said in it: stored as a record, kept in memory while anybody is in the room. */
export interface RoomState {
  readonly name: RoomName;
  readonly access: Access;
  /** Of the code that opens it; null for an open room. */
  readonly codeDigest: string | null;
  /** Who made the room comes first; none in the server's own. */
  readonly grants: readonly Grant[];
  readonly topic: string | null;
  readonly bans: readonly Ban[];
  readonly mutes: readonly Ban[];
  /** Whether it outlives its last member. */
  readonly isRetained: boolean;
  /** Whose count of kept rooms it is in: an account, an identity, or both. None when an admin keeps it. */
  readonly keptBy: readonly string[];
}

/** Identities with a role in one room. */
export const MAX_GRANTS = 200;

/** Who keeps a room: an account and an identity. */
const MAX_KEEPERS = 2;

/** Bans, and mutes, in one list; more would cost every newcomer too long a look. */
export const MAX_BANS = 500;

export function grantedRole(state: RoomState, fps: readonly Fingerprint[]): Role {
  const roles = state.grants.filter(({ fp }) => fps.includes(fp)).map(({ role }) => role);
  return roles.includes('owner') ? 'owner' : (roles[0] ?? 'member');
}

/** The owner to name to people. */
export function ownerOf({ grants }: RoomState): UserName | null {
  return grants.find(({ role }) => role === 'owner')?.name ?? null;
}

/** The state with all of these identities in that role, and none else. */
export function withRole(state: RoomState, name: UserName, fps: readonly Fingerprint[], role: Role): RoomState {
  const others = state.grants.filter(({ fp }) => !fps.includes(fp));
  const granted = role === 'moderator' || role === 'owner' ? fps.map((fp) => ({ fp, name, role })) : [];
  return { ...state, grants: [...others, ...granted] };
}

/** The state with the new name of whoever has these identities. */
export function withName(state: RoomState, name: UserName, fps: readonly Fingerprint[]): RoomState {
  if (!state.grants.some(({ fp }) => fps.includes(fp))) return state;
  return { ...state, grants: state.grants.map((grant) => (fps.includes(grant.fp) ? { ...grant, name } : grant)) };
}

/** What a record of the store says. It is not ours alone there: throws INTERNAL when it is no room. */
export function parseRoomState(value: unknown): RoomState {
  const {
    name,
    access,
    codeDigest,
    grants,
    topic,
    bans,
    mutes,
    isRetained,
    keptBy = [],
  } = (value ?? {}) as Record<string, unknown>;
  const roomName = typeof name === 'string' ? toRoomName(name) : null;
  const isSound =
    roomName !== null &&
    (access === 'open' ? codeDigest === null : access === 'locked' && typeof codeDigest === 'string') &&
    isListOf(grants, MAX_GRANTS, isGrant) &&
    (topic === null || (typeof topic === 'string' && utf8Length(topic) <= MAX_TOPIC_BYTES)) &&
    isListOf(bans, MAX_BANS, isBan) &&
    isListOf(mutes, MAX_BANS, isBan) &&
    typeof isRetained === 'boolean' &&
    isListOf(keptBy, MAX_KEEPERS, (keeper) => typeof keeper === 'string');
  if (!isSound) throw new BcastError('INTERNAL', { cause: new Error('the store has a room that is none') });
  return { ...(value as RoomState), keptBy: keptBy as string[] };
}

/** Whether a value of the store is a ban. */
export function isBan(value: unknown): value is Ban {
  const { target, by, reason, untilMs, nameKey, fps, network } = (value ?? {}) as Record<string, unknown>;
  return (
    typeof target === 'string' &&
    parseTarget(target) !== null &&
    isName(by) &&
    (reason === null || typeof reason === 'string') &&
    (untilMs === null || Number.isSafeInteger(untilMs)) &&
    (nameKey === null || typeof nameKey === 'string') &&
    isListOf(fps, MAX_GRANTS, (fp) => typeof fp === 'string') &&
    (network === null || typeof network === 'string')
  );
}

function isGrant(value: unknown): boolean {
  const { fp, name, role } = (value ?? {}) as Record<string, unknown>;
  return typeof fp === 'string' && isName(name) && (role === 'moderator' || role === 'owner');
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && toUserName(value) !== null;
}

function isListOf(value: unknown, most: number, isItem: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.length <= most && value.every(isItem);
}
