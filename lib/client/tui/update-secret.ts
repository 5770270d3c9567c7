import type { RoomName } from '../../protocol/names.ts';
import { nameKey } from '../../protocol/names.ts';
import type { Ask, Effect } from './effect.ts';
import type { Action } from './keymap.ts';
import type { Secret, State } from './state.ts';
import { activeWindow, tellHere, windowId } from './windows.ts';

type Next = readonly [State, readonly Effect[]];

/** Begins to ask for something that is not shown while it is typed, and remembered nowhere. */
export function openSecret(state: State, wanted: Secret): State {
  return { ...state, mode: { type: 'secret', wanted, text: '' }, isHelpOpen: false, completion: null };
}

/** A character more, or a pasted text: a line break at its end is the clipboard's. */
export function typeSecret(state: State, text: string): State {
  const { mode } = state;
  if (mode.type !== 'secret') return state;
  return { ...state, mode: { ...mode, text: mode.text + text.replace(/[\p{Cc}]+/gu, '') } };
}

/** What a key does meanwhile. */
export function onSecretKey(state: State, action: Action): Next {
  const { mode } = state;
  if (mode.type !== 'secret') return [state, []];
  switch (action) {
    case 'send':
      return entered({ ...state, mode: { type: 'write' } }, mode.wanted, mode.text);
    case 'deleteLeft':
      return [{ ...state, mode: { ...mode, text: [...mode.text].slice(0, -1).join('') } }, []];
    case 'killToStart':
    case 'killBlankLeft':
      return [{ ...state, mode: { ...mode, text: '' } }, []];
    case 'cancel':
    case 'interrupt':
    case 'endOfInput':
      return [{ ...state, mode: { type: 'write' } }, []];
    default:
      return [state, []];
  }
}

function entered(state: State, wanted: Secret, text: string): Next {
  if (text === '') return [state, []];
  return wanted.what === 'code' ? withCode(state, wanted.room, text.trim()) : withPassword(state, wanted.first, text);
}

function withCode(state: State, room: RoomName, code: string): Next {
  const joining = [...state.joining, nameKey(room)];
  return asked({ ...state, joining }, { what: 'join', room, isToFront: true, code, create: null });
}

/** Nobody sees what was typed, so it is typed twice. */
function withPassword(state: State, first: string | null, text: string): Next {
  if (first === null) return [openSecret(state, { what: 'password', first: text }), []];
  if (first !== text) return [tellHere(state, 'error', 'These were two different ones: /password asks again.'), []];
  return asked(state, { what: 'register', password: text });
}

function asked(state: State, ask: Ask): Next {
  return [state, [{ type: 'ask', ask, window: windowId(activeWindow(state)) }]];
}
