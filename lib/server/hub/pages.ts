import { MAX_LIST_ROWS, MAX_MESSAGE_BYTES } from '../../limits.ts';
import { maxUtf8Bytes } from '../../protocol/text.ts';

/** What the rows of one message may add up to; the rest is for its head and a name in front. */
const PAGE_BYTES = MAX_MESSAGE_BYTES - 4_096;

/** What a row takes beside its texts, in bytes: its own head and numbers, and a head for each of its few texts. */
const ROW_BYTES = 64;

/** Rows cut into lists that fit into one message each; `textsOf` names the texts of a row. */
export function* pages<T>(
  rows: readonly T[],
  textsOf: (row: T) => readonly (string | null)[],
): Generator<readonly T[]> {
  let start = 0;
  let bytes = 0;
  for (const [i, row] of rows.entries()) {
    const size = rowBytes(textsOf(row));
    if (i > start && (i - start >= MAX_LIST_ROWS || bytes + size > PAGE_BYTES)) {
      yield rows.slice(start, i);
      start = i;
      bytes = 0;
    }
    bytes += size;
  }
  if (start < rows.length) yield rows.slice(start);
}

function rowBytes(texts: readonly (string | null)[]): number {
  let bytes = ROW_BYTES;
  for (const text of texts) if (text !== null) bytes += maxUtf8Bytes(text);
  return bytes;
}
