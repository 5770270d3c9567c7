import { formatDuration } from '../../duration.ts';
import type { ClientEvent, ConnectionStatus, PrivateMessage, PublishedMessage, RoomMessage } from '../events.ts';
import type { Effect } from './effect.ts';
import { isSameName, messageEntry } from './entries.ts';
import type { State, Window } from './state.ts';
import { onPresence } from './update-presence.ts';
import {
  flushBanner,
  onForgotten,
  onInvited,
  onJoined,
  onLagged,
  onLeft,
  onMembers,
  onRemoved,
  onTopic,
} from './update-room.ts';
import { onUnstored, withStored } from './update-stored.ts';
import { addEntry, addMessage, changeWindow, openWindow, roomIndex, tell, tellHere, windowId } from './windows.ts';

type Next = readonly [State, readonly Effect[]];

/** How long somebody counts as typing after saying so, in milliseconds; the sign is repeated more often than that. */
const TYPING_MS = 6_000;
/** One bell for everything that happens in this time. */
const BELL_PAUSE_MS = 2_000;

/** What the client tells. */
export function onClientEvent(state: State, event: ClientEvent): Next {
  switch (event.type) {
    case 'message':
      return onMessage(state, event);
    case 'private':
      return onPrivate(state, event);
    case 'presence':
      return [onPresence(state, event), []];
    case 'members':
      return [onMembers(state, event), []];
    case 'typing':
      return [onTyping(state, event), []];
    case 'topic':
      return [onTopic(state, event), []];
    case 'removed':
      return [onRemoved(state, event), []];
    case 'renamed':
      return [tellHere({ ...state, me: event.name }, 'info', `You are now known as ${event.name}.`), []];
    case 'joined':
      return onJoined(state, event);
    case 'left':
      return [onLeft(state, event), []];
    case 'gap':
      return [tell(state, roomIndex(state, event.room), 'warn', gapText(event.first, event.last)), []];
    case 'forgotten':
      return [onForgotten(state, event.room), []];
    case 'lagged':
      return onLagged(state, event);
    case 'published':
      return [onPublished(state, event), []];
    case 'unstored':
      return isIgnored(state, event.from) ? [state, []] : onUnstored(state, event);
    case 'invited':
      return [isIgnored(state, event.by) ? state : onInvited(state, event), []];
    case 'sent':
      return [state, []];
    case 'unavailable':
      return [{ ...state, storageOutUntilMs: state.nowMs + event.retryAfterMs }, []];
    case 'slowDown':
      return [{ ...state, slowUntilMs: state.nowMs + event.retryAfterMs }, []];
    case 'latency':
      return [{ ...state, latencyMs: event.roundTripMs }, []];
    case 'status':
      return onStatus(state, event.status);
    default:
      return event satisfies never;
  }
}

function onMessage(state: State, event: RoomMessage): Next {
  const [opened, index] = openWindow(state, 'room', event.room);
  const entry = messageEntry(event, state.me, false);
  const isHidden = isIgnored(state, event.from);
  const isMention = entry.mention !== null;
  // What stood there before it was stored has been counted, and rung for.
  const wasShown = opened.windows[index]?.unstored.some(({ id }) => id === event.id) === true;
  const isOld = event.isHistory || entry.isOwn || wasShown;
  const added = changeWindow(opened, index, (window) => {
    const seen = withoutPending(withoutTyping(withSeqs(window, event, entry.isOwn), event.from), event.id);
    if (isHidden) return seen;
    const inPlace = withStored(seen, event.id, entry);
    if (inPlace !== null) return inPlace;
    return isOld ? addEntry(seen, entry) : addMessage(seen, entry, index === state.active, isMention);
  });
  const shown = flushBanner(added, index, event.seq);
  return isMention && !isOld && !isHidden ? withBell(shown) : [shown, []];
}

/** What somebody says to all who follow them stands where the reader is. */
function onPublished(state: State, event: PublishedMessage): State {
  if (isIgnored(state, event.from)) return state;
  const entry = messageEntry(event, state.me, true);
  return changeWindow(state, state.active, (window) => addMessage(window, entry, true, false));
}

function onPrivate(state: State, event: PrivateMessage): Next {
  const isOwn = isSameName(event.from, state.me);
  if (!isOwn && isIgnored(state, event.from)) return [state, []];
  const [opened, index] = openWindow(state, 'query', isOwn ? event.to : event.from);
  const entry = messageEntry(event, state.me, true);
  const added = changeWindow(opened, index, (window) =>
    isOwn ? addEntry(window, entry) : addMessage(window, entry, index === state.active, true),
  );
  return isOwn ? [added, []] : withBell({ ...added, lastPrivateFrom: event.from });
}

function onTyping(state: State, { room, name }: Extract<ClientEvent, { type: 'typing' }>): State {
  if (isSameName(name, state.me) || isIgnored(state, name)) return state;
  return changeWindow(state, roomIndex(state, room), (window) => ({
    ...window,
    typing: [...withoutTyping(window, name).typing, { name, untilMs: state.nowMs + TYPING_MS }],
  }));
}

function onStatus(state: State, status: ConnectionStatus): Next {
  switch (status.state) {
    case 'connecting':
      return [state.link.state === 'online' ? { ...state, link: { state: 'connecting' } } : state, []];
    case 'online':
      return onOnline(state, status);
    case 'offline':
      return [onOffline(state, status), []];
    case 'closed':
      return [{ ...state, outcome: state.outcome ?? { error: status.error ?? null } }, []];
    default:
      return status satisfies never;
  }
}

function onOnline(state: State, status: Extract<ConnectionStatus, { state: 'online' }>): Next {
  const { server, role, name, registered, motd, isReconnect } = status;
  const online: State = { ...state, me: name, isRegistered: registered, motd, link: { state: 'online', server, role } };
  if (!isReconnect) return [online, []];
  const told = tellAll(online, 'info', 'Connected again.');
  // A new session is not away; whoever was still is.
  if (state.away === null) return [told, []];
  const window = windowId(state.windows[state.active] as Window);
  return [told, [{ type: 'ask', ask: { what: 'away', text: state.away }, window }]];
}

function onOffline(state: State, status: Extract<ConnectionStatus, { state: 'offline' }>): State {
  const { error, retryInMs, attempt } = status;
  const server = state.link.state === 'connecting' ? null : state.link.server;
  const reason = error.message;
  const link = { state: 'offline', server, reason, retryAtMs: state.nowMs + retryInMs, attempt } as const;
  const offline = { ...state, link, latencyMs: null };
  // Once: the further attempts are counted in the status line.
  if (state.link.state === 'offline') return offline;
  return tellAll(
    offline,
    'warn',
    `${reason} Trying again in ${formatDuration(retryInMs)}; what you say meanwhile is kept.`,
  );
}

/** A line in every room and conversation. */
function tellAll(state: State, tone: 'info' | 'warn', text: string): State {
  return state.windows.reduce((told, _, index) => tell(told, index, tone, text), state);
}

function withBell(state: State): Next {
  if (state.nowMs - state.bellAtMs < BELL_PAUSE_MS) return [state, []];
  return [{ ...state, bellAtMs: state.nowMs }, [{ type: 'bell' }]];
}

function withSeqs(window: Window, { seq }: RoomMessage, isOwn: boolean): Window {
  const { oldestSeq, newestSeq, ownSeq } = window;
  return {
    ...window,
    oldestSeq: oldestSeq === null ? seq : Math.min(seq, oldestSeq),
    newestSeq: Math.max(seq, newestSeq),
    ownSeq: isOwn ? Math.max(seq, ownSeq) : ownSeq,
  };
}

/** Ours is acknowledged by coming back. */
function withoutPending(window: Window, id: RoomMessage['id']): Window {
  if (window.pending.every((one) => one.id !== id)) return window;
  return { ...window, pending: window.pending.filter((one) => one.id !== id) };
}

function withoutTyping(window: Window, name: string): Window {
  if (window.typing.length === 0) return window;
  return { ...window, typing: window.typing.filter((one) => one.name !== name) };
}

function gapText(first: number, last: number): string {
  const count = last - first + 1;
  return `${count} ${count === 1 ? 'message is' : 'messages are'} missing here: the server no longer has them.`;
}

function isIgnored(state: State, name: RoomMessage['from']): boolean {
  return state.ignored.some((ignored) => isSameName(ignored, name));
}
