import { type ArgumentKind, COMMANDS, commandOf } from '../../protocol/commands.ts';

/** Candidates for one word, gone through by Tab until another key is pressed. */
export interface Completion {
  /** Where the word begins; the candidate on show ends at the cursor. */
  readonly from: number;
  readonly candidates: readonly string[];
  /** Shown to the reader, in the order of `candidates`. */
  readonly labels: readonly string[];
  readonly index: number;
}

/** What names there are to complete. */
export interface Vocabulary {
  /** Those likely to be meant first. */
  readonly users: readonly string[];
  readonly rooms: readonly string[];
}

/** Arguments that are words of ours. */
const LITERALS: readonly string[] = ['--locked', 'rotate', 'on|off'];
const DURATIONS = ['10m', '1h', '1d', '7d'];
const MAX_CANDIDATES = 64;

/** The candidates for the word before the cursor; null when there are none. */
export function complete(text: string, cursor: number, vocabulary: Vocabulary): Completion | null {
  const before = text.slice(0, cursor);
  const from = before.search(/\S*$/);
  const word = before.slice(from);
  const labels = candidates(before.slice(0, from), word, vocabulary).slice(0, MAX_CANDIDATES);
  if (labels.length === 0) return null;
  // A name at the start of a line addresses somebody.
  const end = from === 0 && !word.startsWith('/') && !word.startsWith('#') ? ': ' : ' ';
  return { from, labels, candidates: labels.map((label) => label + end), index: 0 };
}

/** The next (or the one before) of the same candidates. */
export function cycle(completion: Completion, by: 1 | -1): Completion {
  const count = completion.candidates.length;
  return { ...completion, index: (completion.index + by + count) % count };
}

function candidates(before: string, word: string, vocabulary: Vocabulary): string[] {
  const isCommand = before.startsWith('/') && !before.startsWith('//');
  if (isCommand) return argumentCandidates(before, word, vocabulary);
  if (before === '' && word.startsWith('/')) return commandWords(word.slice(1)).map((name) => `/${name}`);
  if (word.startsWith('#')) return matching(vocabulary.rooms, word.slice(1)).map((room) => `#${room}`);
  if (word.startsWith('@')) return matching(vocabulary.users, word.slice(1)).map((name) => `@${name}`);
  return matching(vocabulary.users, word);
}

function argumentCandidates(before: string, word: string, { users, rooms }: Vocabulary): string[] {
  const [head = '', ...given] = before.slice(1).trim().split(/\s+/);
  const args = commandOf(head)?.args ?? [];
  const argument = args[Math.min(given.length, args.length - 1)];
  if (argument !== undefined && LITERALS.includes(argument.name)) return matching(argument.name.split('|'), word);
  const kind: ArgumentKind = argument?.kind ?? 'text';
  switch (kind) {
    case 'room':
      return matching(rooms, word.replace(/^#/, ''));
    case 'duration':
      return matching(DURATIONS, word);
    case 'command':
      return commandWords(word.replace(/^\//, ''));
    case 'user':
    case 'target':
    case 'text':
      return matching(users, word);
    default:
      return kind satisfies never;
  }
}

/** Names first, then the aliases of those that did not match by name. */
function commandWords(prefix: string): string[] {
  const named = COMMANDS.filter(({ name }) => name.startsWith(prefix)).map(({ name }) => name);
  if (prefix === '') return named.sort();
  const aliases = COMMANDS.filter(({ name }) => !name.startsWith(prefix))
    .flatMap((command) => command.aliases)
    .filter((alias) => alias.startsWith(prefix));
  return [...named.sort(), ...aliases.sort()];
}

function matching(words: readonly string[], prefix: string): string[] {
  const wanted = prefix.toLowerCase();
  return words.filter((word) => word.toLowerCase().startsWith(wanted));
}
