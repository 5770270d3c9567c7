/** The lines typed before, kept only in memory: what was said in private does not belong on a disk. */
export interface InputHistory {
  /** Oldest first. */
  readonly lines: readonly string[];
  /** The line on show; `lines.length` is the one being written. */
  readonly at: number;
  /** What was being written when looking back began. */
  readonly draft: string;
}

const MAX_LINES = 500;

export const EMPTY_HISTORY: InputHistory = { lines: [], at: 0, draft: '' };

/** With one more line at its end, and looking back from there; the same line twice in a row is one. */
export function remember(history: InputHistory, line: string): InputHistory {
  const kept = history.lines.at(-1) === line ? history.lines : [...history.lines, line].slice(-MAX_LINES);
  return { lines: kept, at: kept.length, draft: '' };
}

/** The line before (-1) or after (1) the one on show; null at the ends. */
export function look(history: InputHistory, by: -1 | 1, current: string): readonly [InputHistory, string] | null {
  const { lines, at } = history;
  const to = at + by;
  if (to < 0 || to > lines.length) return null;
  const draft = at === lines.length ? current : history.draft;
  return [{ lines, at: to, draft }, to === lines.length ? draft : (lines[to] as string)];
}

/** The newest line before `before` that holds `query`, in any case; null when there is none. */
export function recall(history: InputHistory, query: string, before: number): number | null {
  const wanted = query.toLowerCase();
  for (let index = Math.min(before, history.lines.length) - 1; index >= 0; index -= 1) {
    if (history.lines[index]?.toLowerCase().includes(wanted)) return index;
  }
  return null;
}
