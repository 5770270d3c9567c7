import type { RoomName } from '../../protocol/names.ts';
import { complete, cycle, type Vocabulary } from './completion.ts';
import { type EditAction, edit, insert, isOnFirstLine, isOnLastLine, replaceRange, withText } from './editor.ts';
import type { Effect } from './effect.ts';
import { geometryOf } from './geometry.ts';
import { clampHelp } from './help-page.ts';
import { look, remember } from './input-history.ts';
import { type Action, actionOf } from './keymap.ts';
import { entryAt } from './log.ts';
import { listedWindows } from './room-list.ts';
import { say } from './say.ts';
import { isAtTop, pageRows, scrollBy, scrollToBottom, scrollToTop } from './scroll.ts';
import type { State, Window } from './state.ts';
import { runCommand } from './update-commands.ts';
import { onLookingKey, openRecall, openSearch, typeQuery } from './update-looking.ts';
import { onSecretKey, typeSecret } from './update-secret.ts';
import { activate, activeWindow, changeWindow, windowId } from './windows.ts';

type Next = readonly [State, readonly Effect[]];

/** How long the question "again to quit?" stands, in milliseconds. */
const QUIT_ARMED_MS = 3_000;
/** How often we say that we are typing, in milliseconds: others forget it after twice as long. */
const TYPING_PAUSE_MS = 3_000;
/** How far back those who spoke last are looked for, in lines. */
const RECENT_LINES = 200;
/** Messages fetched when the reader reaches the top. */
const OLDER_MESSAGES = 100;
const OLDER_MESSAGES_FROM_SEQ = 1;

/** Characters were typed. */
export function onText(state: State, text: string): Next {
  if (state.mode.type === 'secret') return [typeSecret(state, text), []];
  if (state.mode.type !== 'write') return [typeQuery(disarmed(state), text), []];
  return typed(state, text);
}

/** Something was pasted: it stays in the line until Enter, whatever it holds. */
export function onPaste(state: State, text: string): Next {
  // What a terminal may act on has no business in a message; line breaks and tabs do.
  const clean = text.replace(/[\p{Cc}\p{Cs}]/gu, (character) =>
    character === '\n' || character === '\t' ? character : '',
  );
  if (state.mode.type === 'secret') return [typeSecret(state, clean), []];
  if (state.mode.type !== 'write') return [typeQuery(disarmed(state), clean), []];
  return typed(state, clean);
}

/** A key that is not a character. */
export function onKey(state: State, name: string): Next {
  const action = actionOf(name);
  if (action === undefined) return [state, []];
  // These work everywhere and change nothing of what is being done.
  if (action === 'redraw' || action === 'suspend') return [state, [{ type: action }]];
  if (state.mode.type === 'secret') return onSecretKey(state, action);
  const isInterrupt = action === 'interrupt' || (action === 'endOfInput' && state.editor.text === '');
  if (isInterrupt && state.mode.type === 'write') return interrupt(state);
  const calm = disarmed(state);
  const isReading = action === 'pageUp' || action === 'pageDown';
  if (calm.mode.type !== 'write' && !isReading) return [onLookingKey(calm, action), []];
  if (calm.isHelpOpen && isHelpKey(action)) return [onHelpKey(calm, action), []];
  return perform(
    action === 'complete' || action === 'completeBack' ? calm : { ...calm, completion: null },
    action,
    name,
  );
}

function perform(state: State, action: Action, key: string): Next {
  switch (action) {
    case 'send':
      return send(state);
    case 'complete':
      return [completed(state, 1), []];
    case 'completeBack':
      return [completed(state, -1), []];
    case 'historyBack':
      return [isOnFirstLine(state.editor) ? lookedBack(state, -1) : edited(state, 'lineUp'), []];
    case 'historyForward':
      return [isOnLastLine(state.editor) ? lookedBack(state, 1) : edited(state, 'lineDown'), []];
    case 'recall':
      return [openRecall(state), []];
    case 'search':
      return [openSearch(state, ''), []];
    case 'goTo':
      return [goTo(state, Number(key.slice(-1))), []];
    case 'nextWindow':
      return [step(state, 1), []];
    case 'previousWindow':
      return [step(state, -1), []];
    case 'nextActive':
      return [nextActive(state), []];
    case 'endOfInput':
      return [edited(state, 'deleteRight'), []];
    default:
      return performView(state, action);
  }
}

function performView(state: State, action: Action): Next {
  switch (action) {
    case 'pageUp':
      return withOlder(scrollBy(state, -pageRows(state)));
    case 'pageDown':
      return [scrollBy(state, pageRows(state)), []];
    case 'scrollUp':
      return withOlder(scrollBy(state, -1));
    case 'scrollDown':
      return [scrollBy(state, 1), []];
    case 'top':
      return withOlder(scrollToTop(state));
    case 'bottom':
      return [scrollToBottom(state), []];
    case 'toggleMembers':
      return [{ ...state, showsMembers: !state.showsMembers }, []];
    case 'toggleRooms':
      return [{ ...state, showsRooms: !state.showsRooms }, []];
    case 'help':
      return [{ ...state, isHelpOpen: !state.isHelpOpen, helpScroll: 0 }, []];
    case 'cancel':
    case 'redraw':
    case 'suspend':
      return [state, []];
    default:
      return [edited(state, action as EditAction), []];
  }
}

function typed(state: State, text: string): Next {
  const { editor } = state;
  const next: State = { ...disarmed(state), editor: insert(editor, text), completion: null };
  return withTyping(next);
}

function edited(state: State, action: EditAction): State {
  return { ...state, editor: edit(state.editor, action) };
}

function disarmed(state: State): State {
  return state.quitArmedUntilMs === 0 ? state : { ...state, quitArmedUntilMs: 0 };
}

/** Ctrl-C: the line goes (it can be yanked back); a second one quits. */
function interrupt(state: State): Next {
  if (state.quitArmedUntilMs > state.nowMs) return [state, [{ type: 'quit' }]];
  const { text, kills } = state.editor;
  const editor = { ...withText(state.editor, ''), kills: text === '' ? kills : [text, ...kills] };
  const armed = {
    ...state,
    editor,
    completion: null,
    isHelpOpen: false,
    quitArmedUntilMs: state.nowMs + QUIT_ARMED_MS,
  };
  return [armed, []];
}

/** Enter: a line that starts with one slash is a command, `//` says a slash; everything else is said as it stands. */
function send(state: State): Next {
  const line = state.editor.text;
  if (line.trim() === '') return [{ ...state, isHelpOpen: false }, []];
  const ready: State = {
    ...state,
    editor: withText(state.editor, ''),
    history: remember(state.history, line),
    isHelpOpen: false,
    typingSentAtMs: 0,
  };
  if (line.startsWith('/') && !line.startsWith('//')) return runCommand(ready, line);
  const said = say(ready, 'text', line.startsWith('//') ? line.slice(1) : line);
  // Nothing went out: the line stays, to be put right.
  return said[1].length > 0 ? said : [{ ...said[0], editor: state.editor }, said[1]];
}

function lookedBack(state: State, by: -1 | 1): State {
  const found = look(state.history, by, state.editor.text);
  if (found === null) return state;
  const [history, line] = found;
  return { ...state, history, editor: withText(state.editor, line) };
}

function completed(state: State, by: 1 | -1): State {
  const { editor } = state;
  const completion =
    state.completion === null ? complete(editor.text, editor.cursor, vocabularyOf(state)) : cycle(state.completion, by);
  if (completion === null) return state;
  const text = completion.candidates[completion.index] as string;
  return { ...state, completion, editor: replaceRange(editor, completion.from, editor.cursor, text) };
}

/** Those who spoke last come first, ourselves never. */
function vocabularyOf(state: State): Vocabulary {
  const window = activeWindow(state);
  const names = new Set<string>();
  if (window.kind === 'query') names.add(window.name);
  if (state.lastPrivateFrom !== null && state.editor.text.startsWith('/')) names.add(state.lastPrivateFrom);
  for (
    let serial = window.log.end - 1;
    serial >= Math.max(window.log.first, window.log.end - RECENT_LINES);
    serial -= 1
  ) {
    const entry = entryAt(window.log, serial);
    if (entry?.type === 'message' && !entry.isOwn) names.add(entry.from);
  }
  for (const { name } of window.members) names.add(name);
  if (state.me !== null) names.delete(state.me);
  const rooms = [...state.windows.filter(({ kind }) => kind === 'room').map(({ name }) => name), ...state.knownRooms];
  return { users: [...names], rooms: [...new Set(rooms)] };
}

function goTo(state: State, digit: number): State {
  const target = listedWindows(state)[digit === 0 ? 9 : digit - 1];
  return target === undefined ? state : activate(state, target.index);
}

function step(state: State, by: 1 | -1): State {
  const listed = listedWindows(state);
  const current = listed.findIndex(({ index }) => index === state.active);
  const target = listed[(current + by + listed.length) % listed.length];
  return target === undefined ? state : activate(state, target.index);
}

/** The next window that speaks to us, else the next with anything new. */
function nextActive(state: State): State {
  const listed = listedWindows(state);
  const current = listed.findIndex(({ index }) => index === state.active);
  const others = [...listed.slice(current + 1), ...listed.slice(0, Math.max(0, current))];
  const target = others.find(({ window }) => window.mentions > 0) ?? others.find(({ window }) => window.unread > 0);
  return target === undefined ? state : activate(state, target.index);
}

function isHelpKey(action: Action): boolean {
  return [
    'pageUp',
    'pageDown',
    'scrollUp',
    'scrollDown',
    'historyBack',
    'historyForward',
    'top',
    'bottom',
    'cancel',
  ].includes(action);
}

function onHelpKey(state: State, action: Action): State {
  if (action === 'cancel') return { ...state, isHelpOpen: false };
  const { paneWidth, paneHeight } = geometryOf(state);
  const page = paneHeight - 1;
  const by: Partial<Record<Action, number>> = {
    pageUp: -page,
    pageDown: page,
    scrollUp: -1,
    scrollDown: 1,
    historyBack: -1,
    historyForward: 1,
    top: Number.NEGATIVE_INFINITY,
    bottom: Number.MAX_SAFE_INTEGER,
  };
  return { ...state, helpScroll: clampHelp(state.helpScroll + (by[action] ?? 0), paneWidth, paneHeight) };
}

/** Fetches what is older when the oldest line is on screen. */
function withOlder(state: State): Next {
  const window: Window = activeWindow(state);
  const { oldestSeq, older } = window;
  const isWanted = window.kind === 'room' && window.isJoined && older === 'idle' && state.link.state === 'online';
  if (!isWanted || oldestSeq === null || oldestSeq <= OLDER_MESSAGES_FROM_SEQ || !isAtTop(state)) return [state, []];
  const asking = changeWindow(state, state.active, (shown) => ({ ...shown, older: 'asking' }));
  const room = window.name as RoomName;
  const ask = { what: 'older', room, before: oldestSeq, limit: OLDER_MESSAGES, isShown: false } as const;
  return [asking, [{ type: 'ask', ask, window: windowId(window) }]];
}

/** Tells the room that we are writing, now and then; commands are nobody's business. */
function withTyping(state: State): Next {
  const window = activeWindow(state);
  const { text } = state.editor;
  const isSecret = text.startsWith('/') && !text.startsWith('//') && !text.startsWith('/me ');
  if (window.kind !== 'room' || !window.isJoined || isSecret || text.trim() === '') return [state, []];
  if (state.link.state !== 'online' || state.nowMs - state.typingSentAtMs < TYPING_PAUSE_MS) return [state, []];
  return [{ ...state, typingSentAtMs: state.nowMs }, [{ type: 'typing', room: window.name as RoomName }]];
}
