import { MAX_BODY_BYTES } from '../../limits.ts';
import type { MessageKind } from '../../protocol/messages.ts';
import type { RoomName, UserName } from '../../protocol/names.ts';
import { utf8Length } from '../../protocol/text.ts';
import type { Effect } from './effect.ts';
import type { Pending, State } from './state.ts';
import { activate, activeWindow, asRead, changeWindow, openWindow, tellHere } from './windows.ts';

type Next = readonly [State, readonly Effect[]];

/** Says something where we are: in the room, or to the person. */
export function say(state: State, kind: MessageKind, body: string): Next {
  const window = activeWindow(state);
  if (window.kind === 'query') return tellPerson(state, window.name as UserName, kind, body);
  if (window.kind === 'home')
    return [tellHere(state, 'error', 'You are in no room: /join one, /list shows which there are.'), []];
  if (!window.isJoined)
    return [tellHere(state, 'error', `You are not in #${window.name} any more: /join ${window.name}.`), []];
  if (isTooLong(body)) return [tellHere(state, 'error', TOO_LONG), []];
  const { nextTicket: ticket } = state;
  const effect: Effect = { type: 'say', ticket, room: window.name as RoomName, kind, body };
  const pending = { ticket, id: null, to: 'room', kind, body, ts: state.nowMs } as const;
  return [withPending(state, state.active, pending), [effect]];
}

/** Says something to one person, in a window of their own that comes to the front. */
export function tellPerson(state: State, to: UserName, kind: MessageKind, body: string): Next {
  if (isTooLong(body)) return [tellHere(state, 'error', TOO_LONG), []];
  const [opened, index] = openWindow(state, 'query', to);
  const { nextTicket: ticket } = state;
  const effect: Effect = { type: 'tell', ticket, to, kind, body };
  const pending = { ticket, id: null, to: 'person', kind, body, ts: state.nowMs } as const;
  return [withPending(activate(opened, index), index, pending), [effect]];
}

/** Says something to everybody who follows us. It is shown where we are. */
export function publish(state: State, body: string): Next {
  if (isTooLong(body)) return [tellHere(state, 'error', TOO_LONG), []];
  const { nextTicket: ticket } = state;
  const pending = { ticket, id: null, to: 'followers', kind: 'text', body, ts: state.nowMs } as const;
  return [withPending(state, state.active, pending), [{ type: 'publish', ticket, body }]];
}

const TOO_LONG = `That is too long for one message: ${MAX_BODY_BYTES} bytes are the most.`;

function isTooLong(body: string): boolean {
  return utf8Length(body) > MAX_BODY_BYTES;
}

/** Whoever says something wants to see it, and what came before it. */
function withPending(state: State, index: number, pending: Pending): State {
  const told = changeWindow(state, index, (window) =>
    asRead({ ...window, scroll: null, pending: [...window.pending, pending] }),
  );
  return { ...told, nextTicket: state.nextTicket + 1 };
}
