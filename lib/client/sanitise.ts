/**
 * What a terminal may act on or what may reorder a line: C0, DEL and C1 controls, lone surrogates, the bidirectional
 * controls, the line and paragraph separators, and the interlinear annotation marks.
 */
const UNSAFE = /[\p{Cc}\p{Cs}\p{Bidi_Control}\u2028\u2029\ufff9-\ufffb]/gu;
const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '    ' };

/**
 * Text from anybody else as one line that is safe to print on a terminal. Every unsafe character becomes a visible
 * escape (`\x1b`, `\u202e`, `\n`); a tab, which is harmless but has no fixed width, becomes four spaces. Pure.
 */
export function sanitiseLine(text: string): string {
  return isPlainAscii(text) ? text : text.replace(UNSAFE, escapeOf);
}

/** Most lines of a chat or a build log: nothing but printable ASCII, and no need for the expression. */
function isPlainAscii(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit < 0x20 || unit > 0x7e) return false;
  }
  return true;
}

function escapeOf(character: string): string {
  const short = SHORT[character];
  if (short !== undefined) return short;
  const unit = character.charCodeAt(0);
  return unit < 0x100 ? `\\x${unit.toString(16).padStart(2, '0')}` : `\\u${unit.toString(16).padStart(4, '0')}`;
}
