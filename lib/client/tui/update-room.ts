import { formatExactDuration } from '../../duration.ts';
import type { Events } from '../../protocol/messages.ts';
import { nameKey, type RoomName, type UserName } from '../../protocol/names.ts';
import type { ClientEvent } from '../events.ts';
import type { Effect } from './effect.ts';
import { isSameName } from './entries.ts';
import { membersFrom } from './members.ts';
import type { State, Window } from './state.ts';
import { grouped, untilText } from './times.ts';
import { activate, addEntry, changeWindow, closeWindow, notice, openWindow, roomIndex, tell } from './windows.ts';

type Next = readonly [State, readonly Effect[]];
type Banner = Events['joined'];

/** We are in a room, for the first time or again. */
export function onJoined(state: State, event: Extract<ClientEvent, { type: 'joined' }>): Next {
  const { room, banner, isRejoin } = event;
  const [opened, index] = openWindow(state, 'room', room);
  const isFirst = opened.windows.length === 2 && state.windows.length === 1;
  const key = nameKey(room);
  const isWanted = isFirst || state.joining.includes(key);
  const motd = isFirst && state.motd !== null ? [state.motd] : [];
  const joined = changeWindow(opened, index, (window) => ({
    ...window,
    isJoined: true,
    topic: banner.topic,
    access: banner.access,
    older: window.older === 'asking' ? 'idle' : window.older,
    banner: isRejoin
      ? null
      : {
          afterSeq: banner.first <= banner.last ? banner.last : 0,
          text: [...bannerLines(banner, state.me), ...motd].join('\n'),
        },
  }));
  const settled = { ...joined, joining: state.joining.filter((wanted) => wanted !== key) };
  const shown = flushBanner(isWanted ? activate(settled, index) : settled, index, 0);
  return [shown, [askMembers(room)]];
}

function askMembers(room: RoomName): Effect {
  return { type: 'ask', ask: { what: 'names', room, isShown: false }, window: `room ${nameKey(room)}` };
}

export function onMembers(state: State, { room, members }: Extract<ClientEvent, { type: 'members' }>): State {
  return changeWindow(state, roomIndex(state, room), (window) => ({ ...window, members: membersFrom(members) }));
}

/** The messages come again by themselves; who came and went meanwhile does not. */
export function onLagged(state: State, { room, dropped }: Extract<ClientEvent, { type: 'lagged' }>): Next {
  const text = `Too much at once: ${dropped} messages are being fetched again.`;
  return [tell(state, roomIndex(state, room), 'warn', text), [askMembers(room)]];
}

/** Who can read, how much is kept, and who decides (DESIGN §5). */
function bannerLines(banner: Banner, me: UserName | null): string[] {
  const { topic, members, access, code } = banner;
  const people = members === 1 ? 'Nobody else is here' : `${grouped(members)} people are here`;
  const readers =
    access === 'locked'
      ? 'This room is locked: the server and whoever has the code can read it'
      : 'The server and whoever joins can read this room';
  return [
    ...(topic === null ? [] : [`Topic: ${topic}`]),
    `${people}. ${readers}. ${keptText(banner)}${powerText(banner, me)}`,
    ...(code === null ? [] : [`Its code is ${code}. The server will not say it again; /invite shows the URL with it.`]),
  ];
}

function keptText({ keep, keepMs }: Banner): string {
  return keep === 0
    ? 'Nothing is kept.'
    : `The last ${grouped(keep)} messages are kept for ${formatExactDuration(keepMs)}.`;
}

function powerText({ owner, role }: Banner, me: UserName | null): string {
  if (role === 'admin') return ' You are an admin here.';
  if (role === 'owner' || (owner !== null && isSameName(owner, me))) return ' You own it.';
  const power = role === 'moderator' ? ' You are a moderator.' : '';
  return owner === null ? power : ` ${owner} owns it.${power}`;
}

/** Shows the banner once history up to `seq` is in: it belongs below it, where it is seen. */
export function flushBanner(state: State, index: number, seq: number): State {
  const banner = state.windows[index]?.banner;
  if (banner === null || banner === undefined || banner.afterSeq > seq) return state;
  const entry = notice(state.nowMs, 'info', banner.text);
  return changeWindow(state, index, (window) => addEntry({ ...window, banner: null }, entry));
}

export function onTopic(state: State, { room, topic, by }: Extract<ClientEvent, { type: 'topic' }>): State {
  const index = roomIndex(state, room);
  const text = topic === null ? 'cleared the topic' : `set the topic: ${topic}`;
  return tell(
    changeWindow(state, index, (window) => ({ ...window, topic })),
    index,
    'info',
    text,
    [by],
  );
}

export function onRemoved(
  state: State,
  { room, removal, by, reason, untilMs }: Extract<ClientEvent, { type: 'removed' }>,
): State {
  const index = roomIndex(state, room);
  const what = removal === 'ban' ? 'banned you from this room' : 'put you out of this room';
  const until = removal === 'ban' && untilMs !== null ? ` until ${untilText(untilMs, state.nowMs)}` : '';
  const why = reason === null ? '' : `: ${reason}`;
  return tell(changeWindow(state, index, outside), index, 'error', what + until + why, [by]);
}

/** Left as we wished: the window goes. Not let in again: it stays, and says why. */
export function onLeft(state: State, { room, error }: Extract<ClientEvent, { type: 'left' }>): State {
  const index = roomIndex(state, room);
  if (error === undefined) return closeWindow(state, index);
  const why =
    error.code === 'BAD_CODE' ? `The code of this room has changed: /join ${room} asks for it.` : error.message;
  return tell(changeWindow(state, index, outside), index, 'error', why);
}

export function onForgotten(state: State, room: RoomName): State {
  const index = roomIndex(state, room);
  const text = 'The server has started over and forgotten this room: what stands above is only here.';
  const anew = { oldestSeq: null, newestSeq: 0, seenSeq: 0, ownSeq: 0, older: 'done' } as const;
  return tell(
    changeWindow(state, index, (window) => ({ ...window, ...anew })),
    index,
    'warn',
    text,
  );
}

/** An invitation is told where the reader is. */
export function onInvited(state: State, { room, by, code }: Extract<ClientEvent, { type: 'invited' }>): State {
  const how = code === null ? '' : ' Its code came along.';
  return tell(state, state.active, 'info', `invites you to #${room}: /join ${room}${how === '' ? '' : '.'}${how}`, [
    by,
  ]);
}

function outside(window: Window): Window {
  return { ...window, isJoined: false, members: [], typing: [] };
}
