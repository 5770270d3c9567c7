import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type EditAction,
  type Editor,
  EMPTY_EDITOR,
  edit,
  insert,
  MAX_INPUT_CHARS,
} from '../../../lib/client/tui/editor.ts';
import { editorRows, visibleInput } from '../../../lib/client/tui/editor-rows.ts';

/** An editor from text with `|` where the cursor is, and back. */
const at = (marked: string): Editor => ({
  ...EMPTY_EDITOR,
  text: marked.replace('|', ''),
  cursor: marked.indexOf('|'),
});
const marked = ({ text, cursor }: Editor): string => `${text.slice(0, cursor)}|${text.slice(cursor)}`;
const apply = (start: string, ...actions: readonly EditAction[]): string => marked(actions.reduce(edit, at(start)));

describe('the line editor', () => {
  test.each<[string, EditAction[], string]>([
    ['ab|c', ['left'], 'a|bc'],
    ['|abc', ['left'], '|abc'],
    ['abc|', ['right'], 'abc|'],
    ['a👨‍👩‍👧‍👦|', ['left'], 'a|👨‍👩‍👧‍👦'],
    ['|e\u0301x', ['right'], 'e\u0301|x'],
    ['one two| three', ['wordLeft'], 'one |two three'],
    ['one |two three', ['wordLeft'], '|one two three'],
    ['one| two three', ['wordRight'], 'one two| three'],
    ['|日本 語', ['wordRight'], '日本| 語'],
    ['one\ntw|o\nthree', ['lineStart'], 'one\n|two\nthree'],
    ['one\ntw|o\nthree', ['lineEnd'], 'one\ntwo|\nthree'],
    ['one\ntw|o\nthree', ['textStart'], '|one\ntwo\nthree'],
    ['one\ntw|o\nthree', ['textEnd'], 'one\ntwo\nthree|'],
    ['one\ntwo|\nthree', ['lineUp'], 'one|\ntwo\nthree'],
    ['one\ntwo|\nthree', ['lineDown'], 'one\ntwo\nthr|ee'],
    ['o|ne\n\nthree', ['lineDown'], 'one\n|\nthree'],
    ['ab|c', ['deleteLeft'], 'a|c'],
    ['👍🏽|', ['deleteLeft'], '|'],
    ['|', ['deleteLeft'], '|'],
    ['a|bc', ['deleteRight'], 'a|c'],
    ['abc|', ['deleteRight'], 'abc|'],
    ['ab|cd\nef', ['killToEnd'], 'ab|\nef'],
    ['ab|\nef', ['killToEnd'], 'ab|ef'],
    ['ab|cd', ['killToStart'], '|cd'],
    ['one two-three|', ['killWordLeft'], 'one two-|'],
    ['one two-three|', ['killBlankLeft'], 'one |'],
    ['one |two three', ['killWordRight'], 'one | three'],
    ['one two|', ['killBlankLeft', 'yank'], 'one two|'],
    ['one two|', ['killBlankLeft', 'lineStart', 'yank'], 'two|one '],
    ['a b|', ['killBlankLeft', 'killBlankLeft', 'yank'], 'a b|'],
    ['a b|', ['killBlankLeft', 'left', 'killToEnd', 'yank'], 'a |'],
    ['a b|', ['killBlankLeft', 'left', 'killToEnd', 'yank', 'yankPop'], 'ab|'],
    ['ab|', ['yankPop'], 'ab|'],
    ['|', ['yank'], '|'],
    ['ab|c', ['transpose'], 'acb|'],
    ['abc|', ['transpose'], 'acb|'],
    ['a|', ['transpose'], 'a|'],
    ['|hello there', ['upperWord'], 'HELLO| there'],
    ['|HELLO', ['lowerWord'], 'hello|'],
    ['|hELLO', ['capitaliseWord'], 'Hello|'],
    ['a|b', ['newline'], 'a\n|b'],
  ])('%j %j gives %j', (start, actions, end) => {
    expect(apply(start, ...actions)).toBe(end);
  });

  test('holds no more than a message may have', () => {
    const full = insert(EMPTY_EDITOR, 'x'.repeat(MAX_INPUT_CHARS + 10));
    expect(full.text).toHaveLength(MAX_INPUT_CHARS);
    expect(insert(full, 'y')).toMatchObject({ text: full.text, cursor: MAX_INPUT_CHARS });
  });

  test('keeps the cursor inside the text and between characters, whatever is done', () => {
    const actions: readonly EditAction[] = [
      ...([
        'left',
        'right',
        'wordLeft',
        'wordRight',
        'lineStart',
        'lineEnd',
        'textStart',
        'textEnd',
        'lineUp',
        'lineDown',
      ] as const),
      ...([
        'deleteLeft',
        'deleteRight',
        'killToEnd',
        'killToStart',
        'killWordLeft',
        'killBlankLeft',
        'killWordRight',
      ] as const),
      ...(['yank', 'yankPop', 'transpose', 'upperWord', 'lowerWord', 'capitaliseWord', 'newline'] as const),
    ];
    const step = fc.oneof(
      fc.constantFrom(...actions),
      fc.string({ unit: 'grapheme', maxLength: 6 }).map((text) => ({ text })),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        let editor = EMPTY_EDITOR;
        for (const one of steps) editor = typeof one === 'string' ? edit(editor, one) : insert(editor, one.text);
        expect(editor.cursor).toBeGreaterThanOrEqual(0);
        expect(editor.cursor).toBeLessThanOrEqual(editor.text.length);
        expect(editor.text.isWellFormed()).toBe(true);
        expect(editor.text.slice(0, editor.cursor).isWellFormed()).toBe(true);
      }),
    );
  });

  test('steps over long words at once', () => {
    const long = insert(EMPTY_EDITOR, `${'x'.repeat(60_000)} end`);
    expect(edit(edit(long, 'killBlankLeft'), 'killBlankLeft').text).toBe('');
  });
});

describe('the input on screen', () => {
  test.each([
    ['abc|', 10, ['abc'], 0, 3],
    ['|', 10, [''], 0, 0],
    ['abcde|', 5, ['abcde', ''], 1, 0],
    ['abcdefg|', 5, ['abcde', 'fg'], 1, 2],
    ['ab|c\nde', 5, ['abc', 'de'], 0, 2],
    ['日本|語', 5, ['日本', '語'], 0, 4],
    ['a\tb|', 10, ['a    b'], 0, 6],
  ])('%j at %i', (text, width, rows, cursorRow, cursorColumn) => {
    expect(editorRows(at(text), width)).toEqual({ rows, cursorRow, cursorColumn });
  });

  test('shows the rows around the cursor', () => {
    const all = editorRows(at('1\n2\n3\n4|\n5\n6'), 10);
    expect(visibleInput(all, 3)).toEqual({ rows: ['2', '3', '4'], cursorRow: 2, cursorColumn: 1 });
    expect(visibleInput(editorRows(at('1|\n2\n3\n4'), 10), 2)).toEqual({
      rows: ['1', '2'],
      cursorRow: 0,
      cursorColumn: 1,
    });
  });
});
