import { withText } from './editor.ts';
import { searchText } from './format.ts';
import { recall } from './input-history.ts';
import type { Action } from './keymap.ts';
import { findBackwards, findForwards } from './log.ts';
import { scrollToEntry } from './scroll.ts';
import type { Entry, Mode, State } from './state.ts';
import { activeWindow, changeWindow } from './windows.ts';

type Search = Extract<Mode, { type: 'search' }>;
type Recall = Extract<Mode, { type: 'recall' }>;

/** Begins to look through the window on screen. */
export function openSearch(state: State, query: string): State {
  const mode: Search = { type: 'search', query: '', serial: null, before: activeWindow(state).scroll };
  return searchFor({ ...state, mode, isHelpOpen: false, completion: null }, mode, query);
}

/** Begins to look through what was typed. */
export function openRecall(state: State): State {
  return { ...state, mode: { type: 'recall', query: '', index: null }, completion: null };
}

/** A character more to look for. */
export function typeQuery(state: State, text: string): State {
  const added = text.replace(/[\p{Cc}]+/gu, ' ');
  const { mode } = state;
  if (mode.type === 'search') return searchFor(state, mode, mode.query + added);
  return mode.type === 'recall' ? recallFor(state, mode, mode.query + added) : state;
}

/** What a key does while something is looked for. */
export function onLookingKey(state: State, action: Action | undefined): State {
  const { mode } = state;
  if (mode.type === 'search') return onSearchKey(state, mode, action);
  return mode.type === 'recall' ? onRecallKey(state, mode, action) : state;
}

function onSearchKey(state: State, mode: Search, action: Action | undefined): State {
  switch (action) {
    case 'search':
    case 'historyBack':
    case 'recall':
      return found(
        state,
        mode,
        findBackwards(activeWindow(state).log, mode.serial ?? Number.MAX_SAFE_INTEGER, matcher(mode.query)),
      );
    case 'historyForward':
      return mode.serial === null
        ? state
        : found(state, mode, findForwards(activeWindow(state).log, mode.serial, matcher(mode.query)));
    case 'deleteLeft':
      return searchFor(state, mode, [...mode.query].slice(0, -1).join(''));
    case 'killToStart':
    case 'killBlankLeft':
      return searchFor(state, mode, '');
    case 'send':
      return { ...state, mode: { type: 'write' } };
    case 'cancel':
    case 'interrupt':
      return changeWindow({ ...state, mode: { type: 'write' } }, state.active, (window) => ({
        ...window,
        scroll: mode.before,
      }));
    default:
      return state;
  }
}

function onRecallKey(state: State, mode: Recall, action: Action | undefined): State {
  switch (action) {
    case 'recall':
    case 'historyBack': {
      const index = recall(state.history, mode.query, mode.index ?? state.history.lines.length);
      return index === null ? state : { ...state, mode: { ...mode, index } };
    }
    case 'deleteLeft':
      return recallFor(state, mode, [...mode.query].slice(0, -1).join(''));
    case 'killToStart':
    case 'killBlankLeft':
      return recallFor(state, mode, '');
    case 'send':
    case 'right':
    case 'lineEnd':
    case 'complete':
      return taken(state, mode);
    case 'cancel':
    case 'interrupt':
      return { ...state, mode: { type: 'write' } };
    default:
      return state;
  }
}

/** Looks anew, from the newest line on. */
function searchFor(state: State, mode: Search, query: string): State {
  const next: Search = { ...mode, query, serial: null };
  if (query === '') return { ...state, mode: next };
  return found(state, next, findBackwards(activeWindow(state).log, Number.MAX_SAFE_INTEGER, matcher(query)));
}

/** Shows what was found; when nothing was, stays where it is. */
function found(state: State, mode: Search, serial: number | null): State {
  if (serial === null) return { ...state, mode };
  return scrollToEntry({ ...state, mode: { ...mode, serial } }, serial);
}

function recallFor(state: State, mode: Recall, query: string): State {
  const index = query === '' ? null : recall(state.history, query, state.history.lines.length);
  return { ...state, mode: { ...mode, query, index } };
}

function taken(state: State, mode: Recall): State {
  const line = mode.index === null ? undefined : state.history.lines[mode.index];
  const written: State = { ...state, mode: { type: 'write' } };
  return line === undefined ? written : { ...written, editor: withText(state.editor, line) };
}

function matcher(query: string): (entry: Entry) => boolean {
  const wanted = query.toLowerCase();
  return (entry) => query !== '' && searchText(entry).toLowerCase().includes(wanted);
}
