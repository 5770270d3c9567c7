import { formatDuration } from '../../duration.ts';
import type { RoomName } from '../../protocol/names.ts';
import { nameKey } from '../../protocol/names.ts';
import type { ClientEvent, ConnectionStatus, PrivateMessage, RoomMessage } from '../events.ts';
import type { Effect } from './effect.ts';
import { isSameName, messageEntry } from './entries.ts';
import { membersFrom } from './members.ts';
import type { State, Window } from './state.ts';
import { untilText } from './times.ts';
import { onPresence } from './update-presence.ts';
import {
  activate,
  addEntry,
  addMessage,
  changeWindow,
  closeWindow,
  notice,
  openWindow,
  roomIndex,
  tell,
  tellHere,
  windowId,
} from './windows.ts';

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
    case 'sent':
      return [state, []];
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
  const isOld = event.isHistory || entry.isOwn;
  const isMention = entry.mention !== null;
  const added = changeWindow(opened, index, (window) => {
    const seen = withoutTyping(withOldest(window, event.seq), event.from);
    if (isHidden) return seen;
    return isOld ? addEntry(seen, entry) : addMessage(seen, entry, index === state.active, isMention);
  });
  const shown = flushBanner(added, index, event.seq);
  return isMention && !isOld && !isHidden ? withBell(shown) : [shown, []];
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

function onTopic(state: State, { room, topic, by }: Extract<ClientEvent, { type: 'topic' }>): State {
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

function onRemoved(
  state: State,
  { room, removal, by, reason, untilMs }: Extract<ClientEvent, { type: 'removed' }>,
): State {
  const index = roomIndex(state, room);
  const what = removal === 'ban' ? 'banned you from this room' : 'put you out of this room';
  const until = removal === 'ban' && untilMs !== null ? ` until ${untilText(untilMs, state.nowMs)}` : '';
  const why = reason === null ? '' : `: ${reason}`;
  const gone = changeWindow(state, index, (window) => ({ ...window, isJoined: false, members: [], typing: [] }));
  return tell(gone, index, 'error', what + until + why, [by]);
}

/** Left as we wished: the window goes. Not let in again: it stays, and says why. */
function onLeft(state: State, { room, error }: Extract<ClientEvent, { type: 'left' }>): State {
  const index = roomIndex(state, room);
  if (error === undefined) return closeWindow(state, index);
  const out = changeWindow(state, index, (window) => ({ ...window, isJoined: false, members: [], typing: [] }));
  return tell(out, index, 'error', error.message);
}

function onJoined(state: State, event: Extract<ClientEvent, { type: 'joined' }>): Next {
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
    older: window.older === 'asking' ? 'idle' : window.older,
    banner: isRejoin
      ? null
      : { afterSeq: banner.first <= banner.last ? banner.last : 0, text: [...bannerLines(banner), ...motd].join('\n') },
  }));
  const settled = { ...joined, joining: state.joining.filter((wanted) => wanted !== key) };
  const shown = flushBanner(isWanted ? activate(settled, index) : settled, index, 0);
  return [shown, [askMembers(room)]];
}

function askMembers(room: RoomName): Effect {
  return { type: 'ask', ask: { what: 'names', room, isShown: false }, window: `room ${nameKey(room)}` };
}

function onMembers(state: State, { room, members }: Extract<ClientEvent, { type: 'members' }>): State {
  return changeWindow(state, roomIndex(state, room), (window) => ({ ...window, members: membersFrom(members) }));
}

/** The messages come again by themselves; who came and went meanwhile does not. */
function onLagged(state: State, { room, dropped }: Extract<ClientEvent, { type: 'lagged' }>): Next {
  const text = `Too much at once: ${dropped} messages are being fetched again.`;
  return [tell(state, roomIndex(state, room), 'warn', text), [askMembers(room)]];
}

/** Who can read, how much is kept, and who decides (DESIGN §5). */
function bannerLines({ keep, owner, topic, members }: Extract<ClientEvent, { type: 'joined' }>['banner']): string[] {
  const people = members === 1 ? 'Nobody else is here' : `${members} people are here`;
  const kept = keep === 0 ? 'keeps no messages' : `keeps the last ${keep} messages`;
  const moderated = owner === null ? '' : ` ${owner} owns it.`;
  return [
    ...(topic === null ? [] : [`Topic: ${topic}`]),
    `${people}. The server can read this room and ${kept}.${moderated}`,
  ];
}

/** Shows the banner once history up to `seq` is in: it belongs below it, where it is seen. */
function flushBanner(state: State, index: number, seq: number): State {
  const banner = state.windows[index]?.banner;
  if (banner === null || banner === undefined || banner.afterSeq > seq) return state;
  const entry = notice(state.nowMs, 'info', banner.text);
  return changeWindow(state, index, (window) => addEntry({ ...window, banner: null }, entry));
}

function onForgotten(state: State, room: RoomName): State {
  const index = roomIndex(state, room);
  const text = 'The server has started over and forgotten this room: what stands above is only here.';
  return tell(
    changeWindow(state, index, (window) => ({ ...window, oldestSeq: null, older: 'done' })),
    index,
    'warn',
    text,
  );
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
  const { server, role, name, motd, isReconnect } = status;
  const online: State = { ...state, me: name, motd, link: { state: 'online', server, role } };
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

function withOldest(window: Window, seq: number): Window {
  return window.oldestSeq === null || seq < window.oldestSeq ? { ...window, oldestSeq: seq } : window;
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
