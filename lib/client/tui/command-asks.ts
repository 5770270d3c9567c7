import { parseDuration } from '../../duration.ts';
import type { Penalty } from '../../protocol/messages.ts';
import type { RoomName, UserName } from '../../protocol/names.ts';
import type { Ask } from './effect.ts';
import type { Window } from './state.ts';

/** Messages that /history fetches when it is not told how many. */
const HISTORY_MESSAGES = 100;
const MAX_HISTORY_MESSAGES = 10_000;

type Values = readonly (string | null)[];

/** Something in the line that can be put right. */
export interface Mistake {
  readonly mistake: string;
}

/** The question that a command is, wherever it is asked; null when it is about a room, or no question. */
export function askAnywhere(name: string, [first = null]: Values): Ask | null {
  switch (name) {
    case 'list':
      return { what: 'rooms' };
    case 'whois':
      return { what: 'whois', name: first as UserName };
    case 'nick':
      return { what: 'nick', name: first as UserName };
    case 'away':
      return { what: 'away', text: first ?? 'away' };
    case 'back':
      return { what: 'away', text: null };
    case 'register':
      return { what: 'register', password: null };
    case 'unregister':
      return { what: 'unregister' };
    case 'subscribe':
      return first === null ? { what: 'follows' } : { what: 'follow', name: first as UserName, isOn: true };
    case 'unsubscribe':
      return { what: 'follow', name: first as UserName, isOn: false };
    case 'motd':
      return { what: 'motd', text: first === '-' ? null : first };
    default:
      return null;
  }
}

/** The question that a command is in this room. A text says why there is nothing to ask, whatever the line says. */
export function askInRoom(name: string, values: Values, room: RoomName, window: Window): Ask | Mistake | string {
  const [first = null] = values;
  switch (name) {
    case 'names':
      return { what: 'names', room, isShown: true };
    case 'topic':
      return { what: 'topic', room, topic: first === '-' ? null : first };
    case 'history':
      return older(first, room, window);
    case 'search':
      return { what: 'search', room, words: first ?? '' };
    case 'receipts':
      return receipts(first, room, window);
    case 'invite':
      return first === null ? { what: 'link', room } : { what: 'invite', room, name: first as UserName };
    case 'code':
      return code(first, room, window);
    case 'keep':
      return first === null || first === 'on' || first === 'off'
        ? { what: 'retain', room, isKept: first !== 'off' }
        : { mistake: 'It is /keep on or /keep off.' };
    default:
      return moderation(name, values, room);
  }
}

function moderation(
  name: string,
  [first = null, second = null, third = null]: Values,
  room: RoomName,
): Ask | Mistake | string {
  const target = first ?? '';
  const ban = (penalty: Penalty): Ask => {
    const durationMs = second === null ? null : parseDuration(second);
    return { what: 'ban', penalty, room, target, durationMs, reason: third };
  };
  switch (name) {
    case 'kick':
      return { what: 'kick', room, name: first as UserName, reason: second };
    case 'ban':
      return ban('ban');
    case 'mute':
      return ban('mute');
    case 'unban':
      return { what: 'unban', penalty: 'ban', room, target };
    case 'unmute':
      return { what: 'unban', penalty: 'mute', room, target };
    case 'banned':
      return { what: 'bans', penalty: 'ban', room };
    case 'muted':
      return { what: 'bans', penalty: 'mute', room };
    case 'op':
      return { what: 'role', room, name: first as UserName, role: 'moderator' };
    case 'deop':
      return { what: 'role', room, name: first as UserName, role: 'member' };
    default:
      return { mistake: `/${name} does not work here.` };
  }
}

function older(count: string | null, room: RoomName, { oldestSeq }: Window): Ask | Mistake | string {
  const limit = count === null ? HISTORY_MESSAGES : numberFrom(count);
  if (limit === null || limit > MAX_HISTORY_MESSAGES)
    return { mistake: `It is a number up to ${MAX_HISTORY_MESSAGES}.` };
  if (oldestSeq === null || oldestSeq <= 1) return 'There is nothing older.';
  return { what: 'older', room, before: oldestSeq, limit, isShown: true };
}

function receipts(which: string | null, room: RoomName, { ownSeq }: Window): Ask | Mistake | string {
  if (which === null && ownSeq === 0) return 'You have said nothing here yet.';
  const seq = which === null ? ownSeq : numberFrom(which.replace(/^#/, ''));
  return seq === null ? { mistake: 'It is the number of a message.' } : { what: 'receipts', room, seq };
}

function code(what: string | null, room: RoomName, { access }: Window): Ask | Mistake | string {
  if (access === 'open') return 'This room is open: it has no code.';
  if (what !== null && what !== 'rotate') return { mistake: 'It is /code or /code rotate.' };
  return { what: 'code', room, isNew: what === 'rotate' };
}

function numberFrom(text: string): number | null {
  return /^[1-9]\d{0,14}$/.test(text) ? Number(text) : null;
}
