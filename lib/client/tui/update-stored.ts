import type { MessageId } from '../../protocol/messages.ts';
import type { UnstoredMessage } from '../events.ts';
import type { Effect } from './effect.ts';
import { isSameName, messageEntry } from './entries.ts';
import { append, entryAt, replaceAt } from './log.ts';
import type { Entry, Pending, State, Unstored, Window } from './state.ts';
import { addMessage, changeWindow, roomIndex } from './windows.ts';

type Next = readonly [State, readonly Effect[]];

/** Lines of a window that may wait to be put right; older ones stay as they are. */
const MAX_UNSTORED = 500;
/** After a sign that the server's storage is out of reach it counts as such for so long, in milliseconds. */
const STORAGE_OUT_MS = 5_000;

/**
 * Somebody said something that is not stored yet. It stands where it was said, and so does what we said before it: at the
 * bottom, where ours waits for its acknowledgement, it would follow its own answers.
 */
export function onUnstored(state: State, event: UnstoredMessage): Next {
  const index = roomIndex(state, event.room);
  const entry = { ...messageEntry(event, state.me, false), isStored: false };
  const isOurs = isSameName(event.from, state.me);
  const added = changeWindow(state, index, (window) => {
    if (isKnown(window, event.id)) return window;
    const before = window.pending.reduce((shown, pending) => withPendingShown(shown, pending, state), window);
    const isOnScreen = index === state.active || isOurs;
    const shown = addMessage(before, entry, isOnScreen, entry.mention !== null);
    return withUnstored(shown, { id: event.id, ticket: null, serial: shown.log.end - 1 });
  });
  return [{ ...added, storageOutUntilMs: state.nowMs + STORAGE_OUT_MS }, []];
}

/** The window with a stored message in the place of the line that waited for it; null when there is none. */
export function withStored(window: Window, id: MessageId, entry: Entry): Window | null {
  const waiting = window.unstored.find((one) => one.id === id);
  if (waiting === undefined) return null;
  return replaced(window, waiting, entry);
}

/** The line that waited under this ticket as what became of it: stored, or what `instead` says. */
export function withTicketSettled(window: Window, ticket: number, instead: Entry | null): Window | null {
  const waiting = window.unstored.find((one) => one.ticket === ticket);
  if (waiting === undefined) return null;
  const entry = entryAt(window.log, waiting.serial);
  const settled = instead ?? (entry?.type === 'message' ? { ...entry, isStored: true } : entry);
  return settled === undefined ? withoutWaiting(window, waiting) : replaced(window, waiting, settled);
}

function replaced(window: Window, waiting: Unstored, entry: Entry): Window {
  return withoutWaiting({ ...window, log: replaceAt(window.log, waiting.serial, entry) }, waiting);
}

function withoutWaiting(window: Window, waiting: Unstored): Window {
  return { ...window, unstored: window.unstored.filter((one) => one !== waiting) };
}

function withPendingShown(window: Window, pending: Pending, { me }: State): Window {
  const { ticket, id, kind, body, ts } = pending;
  if (id === null || me === null) return window;
  const entry: Entry = {
    type: 'message',
    ts,
    from: me,
    kind,
    body,
    isOwn: true,
    isStored: false,
    isPublished: false,
    mention: null,
  };
  const log = append(window.log, entry);
  const rest = { ...window, log, pending: window.pending.filter((one) => one !== pending) };
  return withUnstored(rest, { id, ticket, serial: log.end - 1 });
}

function withUnstored(window: Window, waiting: Unstored): Window {
  return { ...window, unstored: [...window.unstored, waiting].slice(-MAX_UNSTORED) };
}

function isKnown({ pending, unstored }: Window, id: MessageId): boolean {
  return pending.some((one) => one.id === id) || unstored.some((one) => one.id === id);
}
