import type { MemberRow, Role } from '../../protocol/messages.ts';
import { type NameKey, nameKey, type UserName } from '../../protocol/names.ts';
import type { Member } from './state.ts';

/**
 * The members of a room, sorted by key. An array copied at every change: with 10,000 members that is some microseconds,
 * and it is already in the order in which it is shown.
 */
export type Members = readonly Member[];

export function membersFrom(rows: readonly MemberRow[]): Members {
  const byKey = new Map<NameKey, Member>();
  for (const { name, role, away } of rows) byKey.set(nameKey(name), { name, key: nameKey(name), role, away });
  return [...byKey.values()].sort((a, b) => compare(a.key, b.key));
}

export function memberOf(members: Members, name: UserName): Member | undefined {
  const key = nameKey(name);
  const index = placeOf(members, key);
  return members[index]?.key === key ? members[index] : undefined;
}

/** With this member, in place of one of the same key. */
export function withMember(members: Members, name: UserName, role: Role, away: string | null): Members {
  const key = nameKey(name);
  const index = placeOf(members, key);
  const isThere = members[index]?.key === key;
  return members.toSpliced(index, isThere ? 1 : 0, { name, key, role, away });
}

export function withoutMember(members: Members, name: UserName): Members {
  const key = nameKey(name);
  const index = placeOf(members, key);
  return members[index]?.key === key ? members.toSpliced(index, 1) : members;
}

/** Those with a say first, then the others, each group in order. */
export function byRank(members: Members): Members {
  const ranked = members.filter(({ role }) => role !== 'member');
  if (ranked.length === 0) return members;
  return [...ranked, ...members.filter(({ role }) => role === 'member')];
}

function placeOf(members: Members, key: NameKey): number {
  let low = 0;
  let high = members.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compare((members[middle] as Member).key, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
