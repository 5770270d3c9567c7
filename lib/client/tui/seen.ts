import type { RoomName } from '../../protocol/names.ts';
import type { Effect } from './effect.ts';
import type { State } from './state.ts';
import { activeWindow, changeWindow } from './windows.ts';

/** Tells how far the room on screen was read: what is at the bottom of it is in sight of whoever is there. */
export function withSeen([state, effects]: readonly [State, readonly Effect[]]): readonly [State, readonly Effect[]] {
  const { kind, name, isJoined, scroll, newestSeq, seenSeq } = activeWindow(state);
  const isInSight = kind === 'room' && isJoined && scroll === null && !state.isHelpOpen;
  if (!isInSight || newestSeq <= seenSeq) return [state, effects];
  const seen = changeWindow(state, state.active, (window) => ({ ...window, seenSeq: newestSeq }));
  return [seen, [...effects, { type: 'seen', room: name as RoomName, seq: newestSeq }]];
}
