import { type NameKey, nameKey, type RoomName, type UserName } from '../../protocol/names.ts';
import { append } from './log.ts';
import { type Entry, type NoticeEntry, newWindow, type State, type Tone, type Window } from './state.ts';

/** What tells windows apart. */
export function windowId({ kind, key }: Pick<Window, 'kind' | 'key'>): string {
  return `${kind} ${key}`;
}

export function activeWindow(state: State): Window {
  return state.windows[state.active] as Window;
}

/** Index of the room's window; -1 when there is none. */
export function roomIndex(state: State, room: RoomName): number {
  return indexOf(state, 'room', nameKey(room));
}

/** Index of the window for talking to that person; -1 when there is none. */
export function queryIndex(state: State, name: UserName): number {
  return indexOf(state, 'query', nameKey(name));
}

export function indexById(state: State, id: string): number {
  return state.windows.findIndex((window) => windowId(window) === id);
}

/** The state with that window changed; unchanged when there is no such window. */
export function changeWindow(state: State, index: number, change: (window: Window) => Window): State {
  const window = state.windows[index];
  if (window === undefined) return state;
  const changed = change(window);
  return changed === window ? state : { ...state, windows: state.windows.with(index, changed) };
}

/** The state with a window for that room or person, and its index; a new one comes last and stays in the back. */
export function openWindow(state: State, kind: 'room' | 'query', name: RoomName | UserName): readonly [State, number] {
  const key = nameKey(name);
  const index = indexOf(state, kind, key);
  if (index !== -1) return [state, index];
  const fresh = newWindow(kind, name, key);
  const opened = { ...state, windows: [...state.windows, kind === 'query' ? withGreeting(fresh, state.nowMs) : fresh] };
  return [opened, opened.windows.length - 1];
}

/** Says who can read what is said there, as a room's banner does. */
function withGreeting(window: Window, nowMs: number): Window {
  return addEntry(
    window,
    notice(nowMs, 'info', `Only ${window.name} and you are here. The server can read what you write.`),
  );
}

/** Brings a window to the front: what it holds counts as read. */
export function activate(state: State, index: number): State {
  if (index === state.active || state.windows[index] === undefined) return state;
  const left = changeWindow(state, state.active, (window) =>
    window.scroll === null ? { ...window, newFrom: null } : window,
  );
  const shown = changeWindow(left, index, (window) => (window.scroll === null ? asRead(window) : window));
  return { ...shown, active: index, completion: null, isHelpOpen: false, mode: keptMode(state) };
}

/** A search ends with the window it is in; a question that nobody here asked for waits for its answer. */
function keptMode({ mode }: State): State['mode'] {
  return mode.type === 'secret' ? mode : { type: 'write' };
}

/** Without that window; the one before it comes to the front if it was there. */
export function closeWindow(state: State, index: number): State {
  if (index <= 0 || state.windows[index] === undefined) return state;
  const wasActive = state.active === index;
  const active = state.active > index ? state.active - 1 : state.active;
  const windows = state.windows.toSpliced(index, 1);
  const closed = { ...state, windows, active: wasActive ? 0 : active };
  // Home shows only while there is nothing else.
  return wasActive && windows.length > 1 ? activate(closed, Math.max(1, index - 1)) : closed;
}

export function asRead(window: Window): Window {
  return window.unread === 0 && window.mentions === 0 ? window : { ...window, unread: 0, mentions: 0 };
}

/** The window with one more line at its end. */
export function addEntry(window: Window, entry: Entry): Window {
  return { ...window, log: append(window.log, entry) };
}

/** The window with one more line that somebody said, counted if it is not being looked at. */
export function addMessage(window: Window, entry: Entry, isOnScreen: boolean, isMention: boolean): Window {
  const added = addEntry(window, entry);
  if (isOnScreen && window.scroll === null) return added;
  return {
    ...added,
    unread: window.unread + 1,
    mentions: window.mentions + (isMention ? 1 : 0),
    newFrom: window.unread === 0 ? added.log.end - 1 : window.newFrom,
  };
}

export function notice(ts: number, tone: Tone, text: string, who: readonly string[] = []): NoticeEntry {
  return { type: 'notice', ts, tone, who, text };
}

/** The state with a line of our own in that window. */
export function tell(state: State, index: number, tone: Tone, text: string, who: readonly string[] = []): State {
  return changeWindow(state, index, (window) => addEntry(window, notice(state.nowMs, tone, text, who)));
}

/** The same in the window on screen. */
export function tellHere(state: State, tone: Tone, text: string): State {
  return tell(state, state.active, tone, text);
}

function indexOf(state: State, kind: Window['kind'], key: NameKey): number {
  return state.windows.findIndex((window) => window.kind === kind && window.key === key);
}
