import { formatDuration } from '../../duration.ts';
import type { BcastError } from '../../errors.ts';
import type { Answer, Ask, Effect } from './effect.ts';
import { messageEntry } from './entries.ts';
import { prepend } from './log.ts';
import type { Pending, State, Window } from './state.ts';
import { untilText } from './times.ts';
import { activate, addEntry, changeWindow, indexById, roomIndex, tell } from './windows.ts';

type Next = readonly [State, readonly Effect[]];

/** Lines of a list in the window; longer ones say how much is left out. */
const MAX_LISTED = 100;

/** What was said was accepted. In a room it comes back as one of its messages; between two people it does not. */
export function onSaid(state: State, ticket: number, ts: number): State {
  const { index, pending } = pendingOf(state, ticket);
  if (pending === undefined) return state;
  return changeWindow(state, index, (window) => {
    const settled = withoutPending(window, ticket);
    if (window.kind !== 'query' || state.me === null) return settled;
    const { kind, body } = pending;
    return addEntry(settled, { type: 'message', ts, from: state.me, kind, body, isOwn: true, mention: null });
  });
}

/** It was refused for good. */
export function onUnsaid(state: State, ticket: number, error: BcastError): State {
  const { index, pending } = pendingOf(state, ticket);
  if (pending === undefined) return state;
  const settled = changeWindow(state, index, (window) => withoutPending(window, ticket));
  return tell(settled, index, 'error', `Not sent: ${error.message} You wrote: ${pending.body}`);
}

function pendingOf(state: State, ticket: number): { readonly index: number; readonly pending: Pending | undefined } {
  const index = state.windows.findIndex(({ pending }) => pending.some((one) => one.ticket === ticket));
  return { index, pending: state.windows[index]?.pending.find((one) => one.ticket === ticket) };
}

function withoutPending(window: Window, ticket: number): Window {
  return { ...window, pending: window.pending.filter((one) => one.ticket !== ticket) };
}

/** The server answered what was asked. */
export function onAnswered(state: State, ask: Ask, windowId: string, answer: Answer): Next {
  const index = Math.max(0, indexById(state, windowId));
  if (answer.type === 'refused') return [onRefused(state, ask, index, answer.error), []];
  switch (answer.type) {
    case 'done':
      return [onDone(state, ask, index), []];
    case 'members':
      return [onMembers(state, ask, index, answer.members), []];
    case 'rooms':
      return [onRooms(state, index, answer.rooms), []];
    case 'user':
      return [onUser(state, index, answer.user), []];
    case 'bans':
      return [onBans(state, index, answer.bans), []];
    case 'messages':
      return [onOlder(state, ask, answer.messages), []];
    default:
      return answer satisfies never;
  }
}

function onRefused(state: State, ask: Ask, index: number, error: BcastError): State {
  const settled = withoutWaiting(state, ask);
  // What nobody asked for by hand fails in silence: the list of members comes with the next join, older messages with the next page.
  if ((ask.what === 'names' && !ask.isShown) || ask.what === 'older') return settled;
  const wait = error.retryAfterMs === undefined ? '' : ` Try again in ${formatDuration(error.retryAfterMs)}.`;
  const until = error.untilMs === undefined ? '' : ` Until ${untilText(error.untilMs, state.nowMs)}.`;
  return tell(settled, index, 'error', error.message + wait + until);
}

/** Without the marks of a question that failed. */
function withoutWaiting(state: State, ask: Ask): State {
  if (ask.what === 'older')
    return changeWindow(state, roomIndex(state, ask.room), (window) => ({ ...window, older: 'idle' }));
  if (ask.what !== 'join') return state;
  return { ...state, joining: [] };
}

function onDone(state: State, ask: Ask, index: number): State {
  switch (ask.what) {
    case 'away':
      return tell(
        { ...state, away: ask.text },
        index,
        'info',
        ask.text === null ? 'You are back.' : `You are away: ${ask.text}`,
      );
    case 'unban':
      return tell(state, index, 'info', `${ask.target} may come in again.`);
    case 'ban':
      return tell(
        state,
        index,
        'info',
        `${ask.target} is banned${ask.durationMs === null ? '' : ` for ${formatDuration(ask.durationMs)}`}.`,
      );
    case 'join': {
      // The window may have been there, but in the back.
      const joined = roomIndex(state, ask.room);
      return joined === -1 || !ask.isToFront ? state : activate(state, joined);
    }
    default:
      // The event that follows says it.
      return state;
  }
}

function onMembers(
  state: State,
  ask: Ask,
  index: number,
  rows: Extract<Answer, { type: 'members' }>['members'],
): State {
  // The member list has heard of it by an event: an answer comes too late to be in line with the presence about it.
  if (ask.what !== 'names' || !ask.isShown) return state;
  const names = rows.slice(0, MAX_LISTED).map(({ name, role, away }) => {
    const mark = role === 'member' ? '' : role === 'moderator' ? '+' : '@';
    return `${mark}${name}${away === null ? '' : ' (away)'}`;
  });
  const more = rows.length > MAX_LISTED ? ` and ${rows.length - MAX_LISTED} more` : '';
  return tell(state, index, 'info', `${rows.length} in #${ask.room}: ${names.join(', ')}${more}`);
}

function onRooms(state: State, index: number, rows: Extract<Answer, { type: 'rooms' }>['rooms']): State {
  const known = { ...state, knownRooms: rows.map(({ room }) => room) };
  if (rows.length === 0) return tell(known, index, 'info', 'There are no rooms.');
  const lines = rows
    .toSorted((a, b) => b.members - a.members)
    .slice(0, MAX_LISTED)
    .map(
      ({ room, members, topic }) =>
        `#${room}  ${members} here${topic === null ? '' : `  ${topic.replaceAll('\n', ' ')}`}`,
    );
  const more = rows.length > MAX_LISTED ? [`and ${rows.length - MAX_LISTED} more rooms`] : [];
  return tell(known, index, 'info', [...lines, ...more].join('\n'));
}

function onUser(state: State, index: number, user: Extract<Answer, { type: 'user' }>['user']): State {
  const rooms = user.rooms.length === 0 ? 'no room you share' : user.rooms.map((room) => `#${room}`).join(' ');
  const lines = [
    `${user.name}${user.role === 'member' ? '' : `, ${user.role} of this server`}${user.away === null ? '' : `, away: ${user.away}`}`,
    `  identity  ${user.fp}`,
    `  in        ${rooms}`,
    `  here for  ${formatDuration(Math.max(0, state.nowMs - user.sinceMs))}, silent for ${formatDuration(user.idleMs)}${
      user.sessions > 1 ? `, from ${user.sessions} places` : ''
    }`,
  ];
  return tell(state, index, 'info', lines.join('\n'));
}

function onBans(state: State, index: number, rows: Extract<Answer, { type: 'bans' }>['bans']): State {
  if (rows.length === 0) return tell(state, index, 'info', 'Nobody is banned here.');
  const lines = rows.slice(0, MAX_LISTED).map(({ target, by, untilMs, reason }) => {
    const until = untilMs === null ? 'for good' : `until ${untilText(untilMs, state.nowMs)}`;
    return `${target}  ${until}, by ${by}${reason === null ? '' : `: ${reason}`}`;
  });
  return tell(state, index, 'info', lines.join('\n'));
}

/** Older messages go before what is shown, and what is on screen stays where it is. */
function onOlder(state: State, ask: Ask, messages: Extract<Answer, { type: 'messages' }>['messages']): State {
  if (ask.what !== 'older') return state;
  const index = roomIndex(state, ask.room);
  if (messages.length === 0) return changeWindow(state, index, (window) => ({ ...window, older: 'done' }));
  return changeWindow(
    state,
    index,
    (window): Window => ({
      ...window,
      log: prepend(
        window.log,
        messages.map((message) => messageEntry(message, state.me, false)),
      ),
      oldestSeq: messages[0]?.seq ?? window.oldestSeq,
      older: 'idle',
    }),
  );
}
