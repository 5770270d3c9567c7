import { parseDuration } from '../../duration.ts';
import { COMMANDS, type Command, commandOf, usageOf } from '../../protocol/commands.ts';
import { nameKey, type RoomName, toRoomName, toUserName, type UserName } from '../../protocol/names.ts';
import { askAnywhere, askInRoom } from './command-asks.ts';
import { withText } from './editor.ts';
import type { Ask, Effect } from './effect.ts';
import { cleared } from './log.ts';
import { nearest } from './nearest.ts';
import { publish, say, tellPerson } from './say.ts';
import type { State, Window } from './state.ts';
import { openSearch } from './update-looking.ts';
import { openSecret } from './update-secret.ts';
import {
  activate,
  activeWindow,
  changeWindow,
  closeWindow,
  openWindow,
  roomIndex,
  tellHere,
  windowId,
} from './windows.ts';

type Next = readonly [State, readonly Effect[]];

/** What was given for each argument of the command, by position. */
interface Given {
  readonly command: Command;
  readonly values: readonly (string | null)[];
}

/** Does what a line that starts with a slash says. On a mistake the line stays in the input, to be put right. */
export function runCommand(state: State, line: string): Next {
  const [, word = '', rest = ''] = /^\/(\S*)\s*(.*)$/s.exec(line) ?? [];
  const command = commandOf(word);
  if (command === undefined) return wrong(state, line, unknownText(word));
  const values = parseArguments(command, rest);
  if (typeof values === 'string') return wrong(state, line, values);
  return perform(state, { command, values }, line);
}

function perform(state: State, { command, values }: Given, line: string): Next {
  const [first = null, second = null] = values;
  switch (command.name) {
    case 'me':
      return say(state, 'action', first ?? '');
    case 'msg':
      return message(state, first as UserName, second);
    case 'reply':
      if (state.lastPrivateFrom === null) return wrong(state, line, 'Nobody has written to you yet.');
      return tellPerson(state, state.lastPrivateFrom, 'text', first ?? '');
    case 'publish':
      return publish(state, first ?? '');
    case 'join':
      return join(state, first as RoomName);
    case 'create':
      return create(state, first as RoomName, second, line);
    case 'password':
      return [openSecret(state, { what: 'password', first: null }), []];
    case 'topic':
      return first === null ? [tellTopic(state), []] : request(state, command.name, values, line);
    case 'motd':
      return first === null ? [tellMotd(state), []] : request(state, command.name, values, line);
    case 'part':
      return part(state, first as RoomName | null);
    case 'whoami':
      return state.me === null ? [state, []] : ask(state, { what: 'whois', name: state.me });
    case 'ignore':
      return [ignore(state, first as UserName | null), []];
    case 'unignore':
      return [unignore(state, first as UserName), []];
    case 'help':
      return help(state, first, line);
    case 'lastlog':
      return [openSearch(state, first ?? ''), []];
    case 'clear':
      return [clear(state), []];
    case 'quit':
      return [state, [{ type: 'quit' }]];
    default:
      return request(state, command.name, values, line);
  }
}

/** The commands that are one question to the server. */
function request(state: State, name: string, values: readonly (string | null)[], line: string): Next {
  const anywhere = askAnywhere(name, values);
  if (anywhere !== null) return ask(state, anywhere);
  const [first = null] = values;
  const window = activeWindow(state);
  const room = name === 'names' && first !== null ? (first as RoomName) : hereOf(window);
  if (room === null) return wrong(state, line, 'That needs a room: go to one first.');
  const asked = askInRoom(name, values, room, window);
  if (typeof asked === 'string') return [tellHere(state, 'error', asked), []];
  if ('mistake' in asked) return wrong(state, line, asked.mistake);
  if (asked.what !== 'older') return ask(state, asked);
  return ask(
    changeWindow(state, state.active, (shown) => ({ ...shown, older: 'asking' })),
    asked,
  );
}

/** One value for each argument, or what is wrong. A last argument of kind `text` takes the rest of the line. */
function parseArguments(command: Command, line: string): (string | null)[] | string {
  const values: (string | null)[] = [];
  let rest = line;
  for (const argument of command.args) {
    const word = argument.kind === 'text' ? rest.trimEnd() : (/^\S*/.exec(rest)?.[0] ?? '');
    const value = word === '' ? null : toValue(argument.kind, word);
    const isMissing = word === '' || (value === null && argument.optional === true);
    if (value === null && word !== '' && argument.optional !== true) return invalid(argument.kind, word);
    // "/msg alice" alone opens the conversation.
    if (isMissing && argument.optional !== true && !(command.name === 'msg' && values.length === 1)) {
      return `Usage: ${usageOf(command)}`;
    }
    values.push(value);
    if (value !== null) rest = rest.slice(word.length).trimStart();
  }
  return rest.trim() === '' ? values : `Usage: ${usageOf(command)}`;
}

/** The value in its normal form; null when it is none of that kind. */
function toValue(kind: Command['args'][number]['kind'], word: string): string | null {
  switch (kind) {
    case 'user':
      return toUserName(word.replace(/^@|[:,]$/g, ''));
    case 'room':
      return toRoomName(word);
    case 'duration':
      return parseDuration(word) === null ? null : word;
    case 'target':
      return word.replace(/^@/, '');
    case 'command':
      return word.replace(/^\//, '');
    case 'text':
      return word;
    default:
      return kind satisfies never;
  }
}

function invalid(kind: string, word: string): string {
  return `"${word}" is not a ${kind === 'room' ? 'room name' : kind === 'duration' ? 'duration' : 'name'}.`;
}

function unknownText(word: string): string {
  const words = COMMANDS.flatMap(({ name, aliases }) => [name, ...aliases]);
  const like = nearest(word.toLowerCase(), words);
  const hint = like === null ? '/help lists what there is.' : `Did you mean /${like}?`;
  return `There is no command /${word}. ${hint} To say it as text, write //${word}.`;
}

function wrong(state: State, line: string, text: string): Next {
  return [tellHere({ ...state, editor: withText(state.editor, line) }, 'error', text), []];
}

function ask(state: State, what: Ask): Next {
  return [state, [{ type: 'ask', ask: what, window: windowId(activeWindow(state)) }]];
}

function message(state: State, name: UserName, text: string | null): Next {
  if (text !== null) return tellPerson(state, name, 'text', text);
  const [opened, index] = openWindow(state, 'query', name);
  return [activate(opened, index), []];
}

function join(state: State, room: RoomName): Next {
  const index = roomIndex(state, room);
  if (state.windows[index]?.isJoined === true) return [activate(state, index), []];
  const asked = { what: 'join', room, isToFront: true, code: null, create: null } as const;
  return ask({ ...state, joining: [...state.joining, nameKey(room)] }, asked);
}

function create(state: State, room: RoomName, how: string | null, line: string): Next {
  if (how !== null && how !== '--locked') return wrong(state, line, 'It is /create ROOM or /create ROOM --locked.');
  const access = how === null ? 'open' : 'locked';
  const asked = { what: 'join', room, isToFront: true, code: null, create: access } as const;
  return ask({ ...state, joining: [...state.joining, nameKey(room)] }, asked);
}

function part(state: State, named: RoomName | null): Next {
  const index = named === null ? state.active : roomIndex(state, named);
  const window = state.windows[index];
  if (window === undefined) return [tellHere(state, 'error', `You are not in #${named}.`), []];
  if (window.kind === 'room' && window.isJoined) return ask(state, { what: 'leave', room: window.name as RoomName });
  return [closeWindow(state, index), []];
}

function hereOf(window: Window): RoomName | null {
  return window.kind === 'room' ? (window.name as RoomName) : null;
}

function tellTopic(state: State): State {
  const { topic } = activeWindow(state);
  return tellHere(state, 'info', topic === null ? 'There is no topic.' : `Topic: ${topic}`);
}

function tellMotd(state: State): State {
  return tellHere(state, 'info', state.motd ?? 'Nothing greets who comes here.');
}

function ignore(state: State, name: UserName | null): State {
  if (name === null) {
    const list = state.ignored.length === 0 ? 'You ignore nobody.' : `You ignore ${state.ignored.join(', ')}.`;
    return tellHere(state, 'info', list);
  }
  const others = state.ignored.filter((ignored) => nameKey(ignored) !== nameKey(name));
  return tellHere({ ...state, ignored: [...others, name] }, 'info', `What ${name} says is no longer shown.`);
}

function unignore(state: State, name: UserName): State {
  const others = state.ignored.filter((ignored) => nameKey(ignored) !== nameKey(name));
  if (others.length === state.ignored.length) return tellHere(state, 'error', `You do not ignore ${name}.`);
  return tellHere({ ...state, ignored: others }, 'info', `What ${name} says is shown again.`);
}

function help(state: State, word: string | null, line: string): Next {
  if (word === null) return [{ ...state, isHelpOpen: true, helpScroll: 0 }, []];
  const command = commandOf(word);
  if (command === undefined) return wrong(state, line, unknownText(word));
  const also = command.aliases.length === 0 ? '' : ` Also: ${command.aliases.map((alias) => `/${alias}`).join(', ')}.`;
  return [tellHere(state, 'info', `${usageOf(command)}  ${command.help}${also}`), []];
}

function clear(state: State): State {
  const window = activeWindow(state);
  const empty: Window = {
    ...window,
    log: cleared(window.log),
    scroll: null,
    newFrom: null,
    unread: 0,
    mentions: 0,
    older: 'idle',
  };
  return { ...state, windows: state.windows.with(state.active, empty) };
}
