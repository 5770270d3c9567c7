import { formatDuration } from '../../duration.ts';
import type { BcastError } from '../../errors.ts';
import type { MessageId } from '../../protocol/messages.ts';
import { toUserName } from '../../protocol/names.ts';
import { bansText, followsText, foundText, membersText, receiptsText, roomsText, userText } from './answer-lines.ts';
import { doneText } from './done-text.ts';
import type { Answer, Ask, Effect } from './effect.ts';
import { messageEntry } from './entries.ts';
import { entryAt, prepend } from './log.ts';
import { memberOf } from './members.ts';
import { scrollToTop } from './scroll.ts';
import type { Pending, State, Window } from './state.ts';
import { untilText } from './times.ts';
import { openSecret } from './update-secret.ts';
import { withTicketSettled } from './update-stored.ts';
import { activate, addEntry, changeWindow, indexById, notice, roomIndex, tell } from './windows.ts';

type Next = readonly [State, readonly Effect[]];

/** What was said is on its way under this id. */
export function onSaying(state: State, ticket: number, id: MessageId): State {
  const { index } = pendingOf(state, ticket);
  return changeWindow(state, index, (window) => ({
    ...window,
    pending: window.pending.map((one) => (one.ticket === ticket ? { ...one, id } : one)),
  }));
}

/** What was said was accepted. In a room it comes back as one of its messages; elsewhere it does not. */
export function onSaid(state: State, ticket: number, ts: number): State {
  const { index, pending } = pendingOf(state, ticket);
  if (pending === undefined) return settled(state, ticket, () => null);
  return changeWindow(state, index, (window) => {
    const without = withoutPending(window, ticket);
    const { kind, body, to } = pending;
    if (to === 'room' || state.me === null) return without;
    const ours = {
      type: 'message',
      ts,
      from: state.me,
      kind,
      body,
      isOwn: true,
      isStored: true,
      mention: null,
    } as const;
    return addEntry(without, { ...ours, isPublished: to === 'followers' });
  });
}

/** It was refused for good. */
export function onUnsaid(state: State, ticket: number, error: BcastError): State {
  const { index, pending } = pendingOf(state, ticket);
  const why = (body: string): string => `Not sent: ${error.message} You wrote: ${body}`;
  if (pending === undefined) return settled(state, ticket, (body) => notice(state.nowMs, 'error', why(body)));
  const without = changeWindow(state, index, (window) => withoutPending(window, ticket));
  return tell(without, index, 'error', why(pending.body));
}

/** The same for what stands among the messages already. */
function settled(state: State, ticket: number, instead: (body: string) => ReturnType<typeof notice> | null): State {
  const index = state.windows.findIndex(({ unstored }) => unstored.some((one) => one.ticket === ticket));
  return changeWindow(state, index, (window) => {
    const waiting = window.unstored.find((one) => one.ticket === ticket);
    const entry = waiting === undefined ? undefined : entryAt(window.log, waiting.serial);
    return withTicketSettled(window, ticket, instead(entry?.type === 'message' ? entry.body : '')) ?? window;
  });
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
  // The window may be gone, or not there yet: then it is told where somebody looks.
  const asked = indexById(state, windowId);
  const index = asked === -1 ? state.active : asked;
  if (answer.type === 'refused') return [onRefused(state, ask, index, answer.error), []];
  switch (answer.type) {
    case 'done':
      return [onDone(state, ask, index), []];
    case 'members':
      return [onMembers(state, ask, index, answer.members), []];
    case 'rooms':
      return [
        tell({ ...state, knownRooms: answer.rooms.map(({ room }) => room) }, index, 'info', roomsText(answer.rooms)),
        [],
      ];
    case 'messages':
      return [onOlder(state, ask, index, answer.messages), []];
    default:
      return [tell(state, index, 'info', textOf(state, ask, answer)), []];
  }
}

type InWords = Exclude<Answer, { type: 'refused' | 'done' | 'members' | 'rooms' | 'messages' }>;

/** The answers that change nothing but what is known. */
function textOf(state: State, ask: Ask, answer: InWords): string {
  switch (answer.type) {
    case 'user':
      return userText(answer.user, state.nowMs);
    case 'bans':
      return bansText(ask.what === 'bans' ? ask.penalty : 'ban', answer.bans, state.nowMs);
    case 'found':
      return foundText(ask.what === 'search' ? ask.words : '', answer, state.nowMs);
    case 'receipts':
      return receiptsText(answer.receipts);
    case 'follows':
      return followsText(answer.names);
    case 'link':
      return `This leads here: ${answer.url}`;
    case 'code':
      return codeText(ask, answer.code);
    default:
      return answer satisfies never;
  }
}

function codeText(ask: Ask, code: string | null): string {
  if (code === null) return 'You do not know the code; "/code rotate" makes a new one.';
  if (ask.what !== 'code' || !ask.isNew) return `The code is ${code}.`;
  return `The new code is ${code}. Who is here stays, but comes in again only with this: /invite them.`;
}

function onRefused(state: State, ask: Ask, index: number, error: BcastError): State {
  const settledState = withoutWaiting(state, ask);
  // What nobody asked for by hand fails in silence: the list of members comes with the next join, older messages with the next page.
  if ((ask.what === 'names' || ask.what === 'older') && !ask.isShown) return settledState;
  const wait = error.retryAfterMs === undefined ? '' : ` Try again in ${formatDuration(error.retryAfterMs)}.`;
  const until = error.untilMs === undefined ? '' : ` Until ${untilText(error.untilMs, state.nowMs)}.`;
  if (ask.what === 'join' && error.code === 'BAD_CODE' && wait === '') return onLocked(settledState, ask, index);
  return tell(settledState, index, 'error', error.message + wait + until);
}

/** The room wants a code, or another one: asks for it, unless something else is being asked for. */
function onLocked(state: State, { room, code }: Extract<Ask, { what: 'join' }>, index: number): State {
  const isFree = state.mode.type === 'write';
  const what = code === null ? `#${room} is locked` : `That is not the code of #${room}`;
  const told = tell(
    state,
    index,
    code === null ? 'info' : 'error',
    isFree ? `${what}.` : `${what}: /join ${room} asks for its code.`,
  );
  return isFree ? openSecret(told, { what: 'code', room }) : told;
}

/** Without the marks of a question that failed. */
function withoutWaiting(state: State, ask: Ask): State {
  if (ask.what === 'older')
    return changeWindow(state, roomIndex(state, ask.room), (window) => ({ ...window, older: 'idle' }));
  if (ask.what !== 'join') return state;
  return { ...state, joining: [] };
}

function onDone(state: State, ask: Ask, index: number): State {
  const text = isToldToAll(state, ask) ? null : doneText(ask, state.me);
  const told = text === null ? state : tell(state, index, 'info', text);
  switch (ask.what) {
    case 'away':
      return { ...told, away: ask.text };
    case 'register':
      return { ...told, isRegistered: true };
    case 'unregister':
      return { ...told, isRegistered: false };
    case 'join': {
      // The window may have been there, but in the back.
      const joined = roomIndex(state, ask.room);
      return joined === -1 || !ask.isToFront ? told : activate(told, joined);
    }
    default:
      return told;
  }
}

/** Everybody in the room is told of a member who may not speak, or may again; of others only we know. */
function isToldToAll(state: State, ask: Ask): boolean {
  if ((ask.what !== 'ban' && ask.what !== 'unban') || ask.penalty !== 'mute') return false;
  const name = toUserName(ask.target);
  const members = state.windows[roomIndex(state, ask.room)]?.members ?? [];
  return name !== null && memberOf(members, name) !== undefined;
}

function onMembers(
  state: State,
  ask: Ask,
  index: number,
  rows: Extract<Answer, { type: 'members' }>['members'],
): State {
  // The member list has heard of it by an event: an answer comes too late to be in line with the presence about it.
  if (ask.what !== 'names' || !ask.isShown) return state;
  return tell(state, index, 'info', membersText(ask.room, rows));
}

/** Older messages go before what is shown. What is on screen stays where it is, unless they were asked for by name. */
function onOlder(
  state: State,
  ask: Ask,
  told: number,
  messages: Extract<Answer, { type: 'messages' }>['messages'],
): State {
  if (ask.what !== 'older') return state;
  const index = roomIndex(state, ask.room);
  if (messages.length === 0) {
    const done = changeWindow(state, index, (window) => ({ ...window, older: 'done' }));
    return ask.isShown ? tell(done, told, 'info', 'There is nothing older.') : done;
  }
  const longer = changeWindow(
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
  return ask.isShown && index === state.active ? scrollToTop(longer) : longer;
}
