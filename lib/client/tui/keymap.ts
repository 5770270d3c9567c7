import type { EditAction } from './editor.ts';

/** What a key can do besides writing a character. */
export type Action =
  | EditAction
  | 'send'
  | 'complete'
  | 'completeBack'
  | 'historyBack'
  | 'historyForward'
  | 'recall'
  | 'pageUp'
  | 'pageDown'
  | 'scrollUp'
  | 'scrollDown'
  | 'top'
  | 'bottom'
  | 'search'
  | 'nextWindow'
  | 'previousWindow'
  | 'nextActive'
  | 'goTo'
  | 'toggleMembers'
  | 'toggleRooms'
  | 'help'
  | 'redraw'
  | 'suspend'
  | 'interrupt'
  | 'endOfInput'
  | 'cancel';

interface Binding {
  readonly action: Action;
  readonly keys: readonly string[];
  readonly group: 'Writing' | 'Reading' | 'Rooms' | 'This client';
  /** Absent for keys everybody knows without being told. */
  readonly help?: string;
}

/** The one table of keys: what the program does and what /help lists. Readline's names for editing, irssi's for the rest. */
export const BINDINGS: readonly Binding[] = [
  { action: 'send', keys: ['enter'], group: 'Writing', help: 'Send.' },
  { action: 'newline', keys: ['M-enter', 'S-enter', 'C-j'], group: 'Writing', help: 'A new line in the same message.' },
  {
    action: 'complete',
    keys: ['tab'],
    group: 'Writing',
    help: 'Complete a name, a room or a command; again: the next.',
  },
  { action: 'completeBack', keys: ['S-tab'], group: 'Writing', help: 'The completion before.' },
  { action: 'historyBack', keys: ['up'], group: 'Writing', help: 'What you typed before.' },
  { action: 'historyForward', keys: ['down'], group: 'Writing', help: 'What you typed after that.' },
  { action: 'recall', keys: ['C-r'], group: 'Writing', help: 'Find something you typed.' },
  { action: 'left', keys: ['left', 'C-b'], group: 'Writing' },
  { action: 'right', keys: ['right', 'C-f'], group: 'Writing' },
  { action: 'wordLeft', keys: ['M-b', 'C-left', 'M-left'], group: 'Writing', help: 'A word to the left.' },
  { action: 'wordRight', keys: ['M-f', 'C-right', 'M-right'], group: 'Writing', help: 'A word to the right.' },
  { action: 'lineStart', keys: ['C-a', 'home'], group: 'Writing', help: 'To the start of the line.' },
  { action: 'lineEnd', keys: ['C-e', 'end'], group: 'Writing', help: 'To the end of the line.' },
  { action: 'textStart', keys: ['M-<'], group: 'Writing' },
  { action: 'textEnd', keys: ['M->'], group: 'Writing' },
  { action: 'deleteLeft', keys: ['backspace'], group: 'Writing' },
  { action: 'deleteRight', keys: ['delete'], group: 'Writing' },
  { action: 'killBlankLeft', keys: ['C-w'], group: 'Writing', help: 'Cut the word to the left.' },
  { action: 'killWordLeft', keys: ['M-backspace', 'C-backspace'], group: 'Writing' },
  { action: 'killWordRight', keys: ['M-d'], group: 'Writing', help: 'Cut the word to the right.' },
  { action: 'killToStart', keys: ['C-u'], group: 'Writing', help: 'Cut to the start of the line.' },
  { action: 'killToEnd', keys: ['C-k'], group: 'Writing', help: 'Cut to the end of the line.' },
  { action: 'yank', keys: ['C-y'], group: 'Writing', help: 'Put back what was cut.' },
  { action: 'yankPop', keys: ['M-y'], group: 'Writing', help: 'Then: what was cut before that.' },
  { action: 'transpose', keys: ['C-t'], group: 'Writing', help: 'Swap two characters.' },
  { action: 'upperWord', keys: ['M-u'], group: 'Writing' },
  { action: 'lowerWord', keys: ['M-l'], group: 'Writing' },
  { action: 'capitaliseWord', keys: ['M-c'], group: 'Writing' },
  { action: 'pageUp', keys: ['pageup', 'M-v'], group: 'Reading', help: 'A page up.' },
  { action: 'pageDown', keys: ['pagedown', 'C-v'], group: 'Reading', help: 'A page down.' },
  { action: 'scrollUp', keys: ['S-up', 'M-pageup'], group: 'Reading', help: 'A line up.' },
  { action: 'scrollDown', keys: ['S-down', 'M-pagedown'], group: 'Reading', help: 'A line down.' },
  { action: 'top', keys: ['C-home', 'M-home'], group: 'Reading', help: 'To the oldest message.' },
  { action: 'bottom', keys: ['C-end', 'M-end'], group: 'Reading', help: 'To the newest message.' },
  { action: 'search', keys: ['C-s'], group: 'Reading', help: 'Find words in this room.' },
  { action: 'nextWindow', keys: ['C-n', 'C-pagedown', 'M-down'], group: 'Rooms', help: 'The next room.' },
  { action: 'previousWindow', keys: ['C-p', 'C-pageup', 'M-up'], group: 'Rooms', help: 'The room before.' },
  {
    action: 'goTo',
    keys: ['M-1', 'M-2', 'M-3', 'M-4', 'M-5', 'M-6', 'M-7', 'M-8', 'M-9', 'M-0'],
    group: 'Rooms',
    help: 'The room with that number.',
  },
  { action: 'nextActive', keys: ['M-a'], group: 'Rooms', help: 'The next room with something new.' },
  { action: 'toggleMembers', keys: ['M-n', 'f2'], group: 'This client', help: 'Show or hide who is here.' },
  { action: 'toggleRooms', keys: ['M-r', 'f3'], group: 'This client', help: 'Show or hide the column of rooms.' },
  { action: 'help', keys: ['f1', 'M-h'], group: 'This client', help: 'This page.' },
  { action: 'redraw', keys: ['C-l'], group: 'This client', help: 'Draw the screen again.' },
  { action: 'suspend', keys: ['C-z'], group: 'This client', help: 'Go to the background; `fg` comes back.' },
  { action: 'interrupt', keys: ['C-c'], group: 'This client', help: 'Clear the line; again: quit.' },
  { action: 'endOfInput', keys: ['C-d'], group: 'This client', help: 'Delete; with nothing written: quit.' },
  { action: 'cancel', keys: ['escape', 'C-g'], group: 'This client', help: 'Leave a search or this page.' },
];

const byKey = new Map<string, Action>();
for (const { action, keys } of BINDINGS) for (const key of keys) byKey.set(key, action);

/** What a key does; undefined: nothing. */
export function actionOf(key: string): Action | undefined {
  return byKey.get(key);
}

/** A key as people write it: `Ctrl-N`, `Alt-A`, `PgUp`. */
export function keyLabel(key: string): string {
  const parts = /^((?:[CMS]-)*)(.+)$/.exec(key);
  const modifiers = (parts?.[1] ?? '').replace('C-', 'Ctrl-').replace('M-', 'Alt-').replace('S-', 'Shift-');
  const name = parts?.[2] ?? key;
  return modifiers + (NAMES[name] ?? (name.length === 1 ? name.toUpperCase() : name[0]?.toUpperCase() + name.slice(1)));
}

const NAMES: Readonly<Record<string, string>> = { pageup: 'PgUp', pagedown: 'PgDn', escape: 'Esc', delete: 'Del' };
