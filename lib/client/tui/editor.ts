import { nextBoundary, previousBoundary } from './glyphs.ts';

/** The line being written; it may hold line breaks. */
export interface Editor {
  readonly text: string;
  /** Offset in `text`, always between two glyphs. */
  readonly cursor: number;
  /** What was cut, newest first. */
  readonly kills: readonly string[];
  /** Set by a cut or a paste of a cut until anything else is done. */
  readonly last:
    | { readonly type: 'kill' }
    | { readonly type: 'yank'; readonly from: number; readonly kill: number }
    | null;
}

/** Characters the input holds at most; a message body may have no more bytes than that. */
export const MAX_INPUT_CHARS = 65_536;
const MAX_KILLS = 16;
const WORD = /[\p{L}\p{M}\p{N}_]/u;
const BLANK = /\s/u;

export const EMPTY_EDITOR: Editor = { text: '', cursor: 0, kills: [], last: null };

/** The editor with other text and the cursor at its end. */
export function withText(editor: Editor, text: string): Editor {
  return { ...editor, text, cursor: text.length, last: null };
}

/** Inserts at the cursor; what would exceed the limit is cut off. */
export function insert(editor: Editor, text: string): Editor {
  const fitting = text.slice(0, Math.max(0, MAX_INPUT_CHARS - editor.text.length)).toWellFormed();
  return replaceRange(editor, editor.cursor, editor.cursor, fitting);
}

/** Puts `text` in place of a part, with the cursor after it. */
export function replaceRange(editor: Editor, from: number, to: number, text: string): Editor {
  const whole = editor.text.slice(0, from) + text + editor.text.slice(to);
  return { ...editor, text: whole, cursor: from + text.length, last: null };
}

export type EditAction =
  | 'left'
  | 'right'
  | 'wordLeft'
  | 'wordRight'
  | 'lineStart'
  | 'lineEnd'
  | 'textStart'
  | 'textEnd'
  | 'lineUp'
  | 'lineDown'
  | 'deleteLeft'
  | 'deleteRight'
  | 'killToEnd'
  | 'killToStart'
  | 'killWordLeft'
  | 'killBlankLeft'
  | 'killWordRight'
  | 'yank'
  | 'yankPop'
  | 'transpose'
  | 'upperWord'
  | 'lowerWord'
  | 'capitaliseWord'
  | 'newline';

/** What the key does to the line; the same editor when there is nothing to do. */
export function edit(editor: Editor, action: EditAction): Editor {
  const { text, cursor } = editor;
  switch (action) {
    case 'left':
      return moveTo(editor, previousBoundary(text, cursor));
    case 'right':
      return moveTo(editor, cursor === text.length ? cursor : nextBoundary(text, cursor));
    case 'wordLeft':
      return moveTo(editor, wordStart(text, cursor));
    case 'wordRight':
      return moveTo(editor, wordEnd(text, cursor));
    case 'lineStart':
      return moveTo(editor, lineStart(text, cursor));
    case 'lineEnd':
      return moveTo(editor, lineEnd(text, cursor));
    case 'textStart':
      return moveTo(editor, 0);
    case 'textEnd':
      return moveTo(editor, text.length);
    case 'lineUp':
      return moveLines(editor, -1);
    case 'lineDown':
      return moveLines(editor, 1);
    case 'deleteLeft':
      return replaceRange(editor, previousBoundary(text, cursor), cursor, '');
    case 'deleteRight':
      return cursor === text.length ? editor : replaceRange(editor, cursor, nextBoundary(text, cursor), '');
    case 'killToEnd':
      return kill(editor, cursor, text[cursor] === '\n' ? cursor + 1 : lineEnd(text, cursor));
    case 'killToStart':
      return kill(editor, lineStart(text, cursor), cursor);
    case 'killWordLeft':
      return kill(editor, wordStart(text, cursor), cursor);
    case 'killBlankLeft':
      return kill(editor, blankStart(text, cursor), cursor);
    case 'killWordRight':
      return kill(editor, cursor, wordEnd(text, cursor));
    case 'yank':
      return yank(editor, cursor, cursor, 0);
    case 'yankPop':
      if (editor.last?.type !== 'yank') return editor;
      return yank(editor, editor.last.from, cursor, (editor.last.kill + 1) % editor.kills.length);
    case 'transpose':
      return transpose(editor);
    case 'upperWord':
      return recase(editor, (word) => word.toUpperCase());
    case 'lowerWord':
      return recase(editor, (word) => word.toLowerCase());
    case 'capitaliseWord':
      return recase(editor, (word) => word.toLowerCase().replace(/\p{L}/u, (letter) => letter.toUpperCase()));
    case 'newline':
      return insert(editor, '\n');
    default:
      return action satisfies never;
  }
}

/** Whether the cursor stands in the first (last) of the lines. */
export function isOnFirstLine({ text, cursor }: Editor): boolean {
  return lineStart(text, cursor) === 0;
}

export function isOnLastLine({ text, cursor }: Editor): boolean {
  return lineEnd(text, cursor) === text.length;
}

function moveTo(editor: Editor, cursor: number): Editor {
  return { ...editor, cursor, last: null };
}

function kill(editor: Editor, from: number, to: number): Editor {
  if (from === to) return editor;
  const cut = editor.text.slice(from, to);
  const isForward = from === editor.cursor;
  const [newest, ...older] = editor.kills;
  // Cuts in a row are one cut, as in readline.
  const kills =
    editor.last?.type === 'kill' && newest !== undefined
      ? [isForward ? newest + cut : cut + newest, ...older]
      : [cut, ...editor.kills].slice(0, MAX_KILLS);
  return { ...replaceRange(editor, from, to, ''), kills, last: { type: 'kill' } };
}

function yank(editor: Editor, from: number, to: number, index: number): Editor {
  const text = editor.kills[index];
  if (text === undefined) return editor;
  return { ...replaceRange(editor, from, to, text), last: { type: 'yank', from, kill: index } };
}

function transpose(editor: Editor): Editor {
  const { text, cursor } = editor;
  const end = cursor === text.length ? cursor : nextBoundary(text, cursor);
  const middle = previousBoundary(text, end);
  const start = previousBoundary(text, middle);
  if (start === middle) return editor;
  return replaceRange(editor, start, end, text.slice(middle, end) + text.slice(start, middle));
}

function recase(editor: Editor, change: (word: string) => string): Editor {
  const end = wordEnd(editor.text, editor.cursor);
  return replaceRange(editor, editor.cursor, end, change(editor.text.slice(editor.cursor, end)));
}

function moveLines(editor: Editor, by: -1 | 1): Editor {
  const { text, cursor } = editor;
  const column = cursor - lineStart(text, cursor);
  const edge = by === -1 ? lineStart(text, cursor) - 1 : lineEnd(text, cursor) + 1;
  if (edge < 0 || edge > text.length) return editor;
  const from = by === -1 ? lineStart(text, edge) : edge;
  const to = Math.min(from + column, lineEnd(text, from));
  // The same number of characters may end inside a glyph.
  return moveTo(editor, to === text.length || to === from ? to : previousBoundary(text, to + 1));
}

function lineStart(text: string, offset: number): number {
  return offset === 0 ? 0 : text.lastIndexOf('\n', offset - 1) + 1;
}

function lineEnd(text: string, offset: number): number {
  const end = text.indexOf('\n', offset);
  return end === -1 ? text.length : end;
}

function wordStart(text: string, offset: number): number {
  return skipLeft(
    text,
    skipLeft(text, offset, (character) => !WORD.test(character)),
    (character) => WORD.test(character),
  );
}

function blankStart(text: string, offset: number): number {
  const end = skipLeft(text, offset, (character) => BLANK.test(character));
  return skipLeft(text, end, (character) => !BLANK.test(character));
}

function wordEnd(text: string, offset: number): number {
  const start = skipRight(text, offset, (character) => !WORD.test(character));
  return skipRight(text, start, (character) => WORD.test(character));
}

function skipLeft(text: string, offset: number, matches: (character: string) => boolean): number {
  let at = offset;
  while (at > 0) {
    const isPair = at > 1 && (text.charCodeAt(at - 1) & 0xfc00) === 0xdc00;
    const before = at - (isPair ? 2 : 1);
    if (!matches(text.slice(before, at))) break;
    at = before;
  }
  return at;
}

function skipRight(text: string, offset: number, matches: (character: string) => boolean): number {
  let at = offset;
  while (at < text.length) {
    const after = at + ((text.charCodeAt(at) & 0xfc00) === 0xd800 ? 2 : 1);
    if (!matches(text.slice(at, after))) break;
    at = after;
  }
  return at;
}
