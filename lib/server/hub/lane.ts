import type { Pending } from './sequence.ts';

/** What waits for the store, and whether it works on what came before. */
export interface Lane {
  pending: Pending[];
  isBusy: boolean;
}

/** What the same members said after what was in the round; it waits no more. */
export function takeBehind(lane: Lane, round: readonly Pending[]): readonly Pending[] {
  const members = new Set(round.map(({ room, sender }) => room.member(sender)));
  const isBehind = ({ room, sender }: Pending): boolean => members.has(room.member(sender));
  const behind = lane.pending.filter(isBehind);
  lane.pending = lane.pending.filter((pending) => !isBehind(pending));
  return behind;
}
