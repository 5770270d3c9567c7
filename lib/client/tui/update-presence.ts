import type { PresenceChange } from '../../protocol/messages.ts';
import { nameKey, type UserName } from '../../protocol/names.ts';
import type { ClientEvent } from '../events.ts';
import { entryAt, replaceLast } from './log.ts';
import { type Members, memberOf, withMember, withoutMember } from './members.ts';
import type { NoticeEntry, State, Tone, Window } from './state.ts';
import { addEntry, changeWindow, notice, queryIndex, roomIndex } from './windows.ts';

type Presence = Extract<ClientEvent, { type: 'presence' }>;

/** Comings and goings within this time share a line. */
const SHARED_LINE_MS = 60_000;
/** Names in one line; the others are counted. */
const MAX_NAMES = 8;

interface Line {
  readonly tone: Tone;
  readonly who: readonly string[];
  readonly text: string;
}

/** Members come, go and change. */
export function onPresence(state: State, { room, changes }: Presence): State {
  const index = roomIndex(state, room);
  const told = changeWindow(state, index, (window) => {
    const { members, lines } = followed(state, window.members, changes);
    return lines.reduce((shown, line) => withLine(shown, line, state.nowMs), { ...window, members });
  });
  return changes.reduce(
    (renamed, change) => (change.change === 'nick' ? renamedQuery(renamed, change) : renamed),
    told,
  );
}

function applied(members: Members, { change, name, other, text }: PresenceChange): Members {
  const member = memberOf(members, name);
  switch (change) {
    case 'join':
      return withMember(members, name, roleFrom(text), null);
    case 'leave':
    case 'kick':
    case 'ban':
      return withoutMember(members, name);
    case 'nick':
      if (other === null || member === undefined) return members;
      return withMember(withoutMember(members, name), other, member.role, member.away);
    case 'away':
      return member === undefined ? members : withMember(members, name, member.role, text ?? 'away');
    case 'back':
      return member === undefined ? members : withMember(members, name, member.role, null);
    case 'role':
      return member === undefined ? members : withMember(members, name, roleFrom(text), member.away);
    case 'mute':
    case 'unmute':
      return members;
    default:
      return change satisfies never;
  }
}

function roleFrom(text: string | null): 'member' | 'moderator' | 'owner' | 'admin' {
  return text === 'moderator' || text === 'owner' || text === 'admin' ? text : 'member';
}

/**
 * The members after the changes, and what of them is worth a line: not away and back, which the member list shows, not
 * what we did ourselves, and not the leaving of somebody who was put out just before.
 */
function followed(
  state: State,
  before: Members,
  changes: readonly PresenceChange[],
): { readonly members: Members; readonly lines: Line[] } {
  const lines: Line[] = [];
  let members = before;
  for (const change of changes) {
    const isKnownGone = change.change === 'leave' && members.length > 0 && memberOf(members, change.name) === undefined;
    members = applied(members, change);
    const line = isKnownGone || isAboutMe(state, change) ? lineOfMine(state, change) : lineOf(change);
    if (line === null) continue;
    const last = lines.at(-1);
    if (last !== undefined && isShared(last, line))
      lines[lines.length - 1] = { ...last, who: [...last.who, ...line.who] };
    else lines.push(line);
  }
  return { members, lines };
}

/** What others did to us is worth a line; what we did ourselves is not, nor what `removed` tells. */
function lineOfMine({ me }: State, { change, name, other, text }: PresenceChange): Line | null {
  if (me === null || nameKey(name) !== nameKey(me)) return null;
  const why = text === null || text === '' ? '' : `: ${text}`;
  switch (change) {
    case 'role':
      return { tone: 'info', who: [], text: `You are now ${roleFrom(text)} here, says ${other ?? 'the server'}` };
    case 'mute':
      return { tone: 'warn', who: [], text: `You may not speak here, says ${other ?? 'the server'}${why}` };
    case 'unmute':
      return { tone: 'info', who: [], text: 'You may speak here again' };
    default:
      return null;
  }
}

function lineOf({ change, name, other, text }: PresenceChange): Line | null {
  const why = text === null || text === '' ? '' : `: ${text}`;
  switch (change) {
    case 'join':
      return { tone: 'join', who: [name], text: 'joined' };
    case 'leave':
      return { tone: 'leave', who: [name], text: `left${why}` };
    case 'nick':
      return { tone: 'info', who: [name], text: `is now ${other ?? '?'}` };
    case 'kick':
      return { tone: 'leave', who: [name], text: `was put out by ${other ?? 'the server'}${why}` };
    case 'ban':
      return { tone: 'leave', who: [name], text: `was banned by ${other ?? 'the server'}${why}` };
    case 'mute':
      return { tone: 'info', who: [name], text: `may not speak here, says ${other ?? 'the server'}${why}` };
    case 'unmute':
      return { tone: 'info', who: [name], text: 'may speak again' };
    case 'role':
      return { tone: 'info', who: [name], text: `is now ${roleFrom(text)} here` };
    case 'away':
    case 'back':
      return null;
    default:
      return change satisfies never;
  }
}

/** The line added, or joined to the last one when that tells the same of others just before. */
function withLine(window: Window, line: Line, nowMs: number): Window {
  const last = entryAt(window.log, window.log.end - 1);
  const isContinued = last?.type === 'notice' && isShared(last, line) && nowMs - last.ts < SHARED_LINE_MS;
  if (!isContinued) return addEntry(window, notice(nowMs, line.tone, ...shortened(line.who, line.text)));
  const names = [...last.who.filter((name) => !line.who.includes(name)), ...line.who];
  const shared = notice(last.ts, line.tone, ...shortened(names, line.text));
  return { ...window, log: replaceLast(window.log, shared) };
}

/** Only plain comings and goings share a line, and no line grows beyond its names. */
function isShared(last: Line | NoticeEntry, line: Line): boolean {
  const isPlain = (line.tone === 'join' && line.text === 'joined') || (line.tone === 'leave' && line.text === 'left');
  return isPlain && last.tone === line.tone && last.text === line.text && last.who.length > 0;
}

function shortened(who: readonly string[], text: string): [string, readonly string[]] {
  if (who.length <= MAX_NAMES) return [text, who];
  return [`and ${who.length - MAX_NAMES} more ${text}`, who.slice(0, MAX_NAMES)];
}

/** A conversation goes on under the other's new name. */
function renamedQuery(state: State, { name, other }: PresenceChange): State {
  if (other === null || queryIndex(state, other) !== -1) return state;
  const renamed = (window: Window): Window => ({ ...window, name: other, key: nameKey(other) });
  return changeWindow(state, queryIndex(state, name), renamed);
}

function isAboutMe({ me }: State, { name, other, change }: PresenceChange): boolean {
  if (me === null) return false;
  const same = (one: UserName | null): boolean => one !== null && nameKey(one) === nameKey(me);
  return same(name) || (change === 'nick' && same(other));
}
