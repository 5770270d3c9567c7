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
    name: 'create',
    aliases: [],
    args: [room, { name: '--locked', kind: 'text', optional: true }],
    group: 'Rooms',
    help: 'Make a room; with --locked, one that only opens with a code.',
    request: 'join',
  },
  {
    name: 'invite',
    aliases: [],
    args: [optional(user)],
    group: 'Rooms',
    help: 'Invite somebody to this room; alone, show the URL that leads here.',
    request: 'invite',
  },
  {
    name: 'history',
    aliases: [],
    args: [{ name: 'count', kind: 'text', optional: true }],
    group: 'Rooms',
    help: 'Fetch older messages of this room.',
    request: 'history',
  },
  {
    name: 'search',
    aliases: [],
    args: [text],
    group: 'Rooms',
    help: 'Find words in all that the server keeps of this room.',
    request: 'search',
  },
  {
    name: 'receipts',
    aliases: ['read'],
    args: [{ name: 'seq', kind: 'text', optional: true }],
    group: 'Rooms',
    help: 'Who has got and read your last message here, or the one of that number.',
    request: 'receipts',
  },
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
    name: 'register',
    aliases: [],
    args: [],
    group: 'People',
    help: 'Keep your name: from now on it belongs to your key.',
    request: 'register',
  },
  {
    name: 'password',
    aliases: [],
    args: [],
    group: 'People',
    help: 'Set a password for your registered name, to enter from another machine. Asks for it.',
    request: 'register',
  },
  {
    name: 'unregister',
    aliases: [],
    args: [],
    group: 'People',
    help: 'Give your registered name up.',
    request: 'unregister',
  },
  {
    name: 'subscribe',
    aliases: ['follow'],
    args: [optional(user)],
    group: 'People',
    help: 'Hear what somebody publishes, in whatever room you are; alone, list whom.',
    request: 'follow',
  },
  {
    name: 'unsubscribe',
    aliases: ['unfollow'],
    args: [user],
    group: 'People',
    help: 'No longer hear what somebody publishes.',
    request: 'follow',
  },
  {
    name: 'publish',
    aliases: [],
    args: [text],
    group: 'Talking',
    help: 'Say something to everybody who subscribed to you.',
    request: 'publish',
  },
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
    name: 'mute',
    aliases: ['quiet'],
    args: [target, { name: 'duration', kind: 'duration', optional: true }, reason],
    group: 'Moderation',
    help: 'Let somebody listen but not speak, for 10m, 2h, 7d or for good.',
    request: 'ban',
    needs: 'moderator',
  },
  {
    name: 'unmute',
    aliases: ['unquiet'],
    args: [target],
    group: 'Moderation',
    help: 'Let somebody speak again.',
    request: 'unban',
    needs: 'moderator',
  },
  {
    name: 'muted',
    aliases: ['mutes'],
    args: [],
    group: 'Moderation',
    help: 'Who may not speak in this room.',
    request: 'bans',
    needs: 'moderator',
  },
  {
    name: 'op',
    aliases: [],
    args: [user],
    group: 'Moderation',
    help: 'Make somebody a moderator of this room.',
    request: 'role',
    needs: 'owner',
  },
  {
    name: 'deop',
    aliases: [],
    args: [user],
    group: 'Moderation',
    help: 'Make somebody a plain member again.',
    request: 'role',
    needs: 'owner',
  },
  {
    name: 'code',
    aliases: [],
    args: [{ name: 'rotate', kind: 'text', optional: true }],
    group: 'Moderation',
    help: 'Show the code of this locked room as you know it; "/code rotate" makes a new one.',
    request: 'code',
    needs: 'owner',
  },
  {
    name: 'keep',
    aliases: [],
    args: [{ name: 'on|off', kind: 'text', optional: true }],
    group: 'Moderation',
    help: 'Keep this room when it is empty; "/keep off" lets it go.',
    request: 'retain',
    needs: 'owner',
  },
  {
    name: 'motd',
    aliases: [],
    args: [optional(text)],
    group: 'Moderation',
    help: 'Show the line that greets everybody, or as an admin set it; "/motd -" clears it.',
    request: 'motd',
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
    name: 'lastlog',
    aliases: ['find'],
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
