import type { Request, Role } from './messages.ts';

/** What an argument is; completion and the parser go by it. */
export type ArgumentKind = 'room' | 'user' | 'target' | 'duration' | 'command' | 'text';

export interface Argument {
  readonly name: string;
  readonly kind: ArgumentKind;
  readonly optional?: boolean;
}

export interface Command {
  readonly name: string;
  readonly aliases: readonly string[];
  /** In order; a last argument of kind `text` takes the rest of the line. */
  readonly args: readonly Argument[];
  readonly help: string;
  readonly group: 'Talking' | 'Rooms' | 'People' | 'Moderation' | 'This client';
  /** The request it becomes; commands without one never leave the client. */
  readonly request?: Request['type'];
  /** The least role in the room that may use it. The server's gate reads it here. */
  readonly needs?: Role;
}

const room: Argument = { name: 'room', kind: 'room' };
const user: Argument = { name: 'name', kind: 'user' };
const text: Argument = { name: 'text', kind: 'text' };
const reason: Argument = { name: 'reason', kind: 'text', optional: true };
const target: Argument = { name: 'name|address|fingerprint', kind: 'target' };
const optional = (argument: Argument): Argument => ({ ...argument, optional: true });

/** The one table of slash commands, under the names IRC users know. */
export const COMMANDS: readonly Command[] = [
  { name: 'me', aliases: [], args: [text], group: 'Talking', help: 'Say what you do: "/me waves".', request: 'say' },
  {
    name: 'msg',
    aliases: ['pm', 'm', 'query'],
    args: [user, text],
    group: 'Talking',
    help: 'Say something to one person only.',
    request: 'tell',
  },
  {
    name: 'reply',
    aliases: ['r'],
    args: [text],
    group: 'Talking',
    help: 'Answer the last private message.',
    request: 'tell',
  },
  { name: 'join', aliases: ['j'], args: [room], group: 'Rooms', help: 'Enter a room, or go to it.', request: 'join' },
  {
    name: 'part',
    aliases: ['leave', 'l'],
    args: [optional(room)],
    group: 'Rooms',
    help: 'Leave this room, or the one named.',
    request: 'leave',
  },
  { name: 'list', aliases: ['rooms', 'channels'], args: [], group: 'Rooms', help: 'All rooms.', request: 'rooms' },
  {
    name: 'names',
    aliases: ['users', 'who'],
    args: [optional(room)],
    group: 'Rooms',
    help: 'Who is in the room.',
    request: 'names',
  },
  {
    name: 'topic',
    aliases: [],
    args: [optional(text)],
    group: 'Rooms',
    help: 'Show the topic, or set it; "/topic -" clears it.',
    request: 'topic',
    needs: 'member',
  },
  { name: 'nick', aliases: ['n'], args: [user], group: 'People', help: 'Take another name.', request: 'nick' },
  { name: 'whois', aliases: [], args: [user], group: 'People', help: 'Who somebody is.', request: 'whois' },
  { name: 'whoami', aliases: [], args: [], group: 'People', help: 'Your name and fingerprint.', request: 'whois' },
  {
    name: 'away',
    aliases: [],
    args: [{ ...reason, name: 'text' }],
    group: 'People',
    help: 'Say that you are away; without a text, "away".',
    request: 'away',
  },
  { name: 'back', aliases: [], args: [], group: 'People', help: 'You are no longer away.', request: 'away' },
  {
    name: 'ignore',
    aliases: [],
    args: [optional(user)],
    group: 'People',
    help: 'Stop showing what somebody says; alone, list whom.',
  },
  { name: 'unignore', aliases: [], args: [user], group: 'People', help: 'Show again what somebody says.' },
  {
    name: 'kick',
    aliases: [],
    args: [user, reason],
    group: 'Moderation',
    help: 'Put somebody out of this room.',
    request: 'kick',
    needs: 'moderator',
  },
  {
    name: 'ban',
    aliases: [],
    args: [target, { name: 'duration', kind: 'duration', optional: true }, reason],
    group: 'Moderation',
    help: 'Put somebody out and keep them out, for 10m, 2h, 7d or for good.',
    request: 'ban',
    needs: 'moderator',
  },
  {
    name: 'unban',
    aliases: [],
    args: [target],
    group: 'Moderation',
    help: 'Let somebody in again.',
    request: 'unban',
    needs: 'moderator',
  },
  {
    name: 'banned',
    aliases: ['bans'],
    args: [],
    group: 'Moderation',
    help: 'Who is banned from this room.',
    request: 'bans',
    needs: 'moderator',
  },
  {
    name: 'help',
    aliases: ['h', '?'],
    args: [{ name: 'command', kind: 'command', optional: true }],
    group: 'This client',
    help: 'This list, or one command.',
  },
  {
    name: 'search',
    aliases: ['lastlog'],
    args: [text],
    group: 'This client',
    help: 'Find words in what is on screen.',
  },
  {
    name: 'clear',
    aliases: [],
    args: [],
    group: 'This client',
    help: 'Clear the screen; history stays on the server.',
  },
  { name: 'quit', aliases: ['exit', 'q'], args: [], group: 'This client', help: 'Leave.' },
];

const byWord = new Map<string, Command>();
const needsByRequest = new Map<string, Role>();
for (const command of COMMANDS) {
  for (const word of [command.name, ...command.aliases]) byWord.set(word, command);
  if (command.request !== undefined && command.needs !== undefined) needsByRequest.set(command.request, command.needs);
}

/** The command a word names, by name or alias, without regard to case. */
export function commandOf(word: string): Command | undefined {
  return byWord.get(word.toLowerCase());
}

/** The least role a request needs in its room; undefined: anybody may. */
export function roleNeeded(request: Request['type']): Role | undefined {
  return needsByRequest.get(request);
}

/** How a command is written: `/ban NAME|ADDRESS|FINGERPRINT [DURATION] [REASON]`. */
export function usageOf({ name, args }: Command): string {
  const words = args.map((argument) => {
    const word = argument.name.toUpperCase();
    return argument.optional === true ? `[${word}]` : word;
  });
  return [`/${name}`, ...words].join(' ');
}
