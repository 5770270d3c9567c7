import stringWidth from 'string-width';

/** What a reader sees as one character (a grapheme cluster), and the terminal columns it takes. */
export interface Glyph {
  readonly text: string;
  readonly width: number;
}

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
// The last line of defence behind sanitiseLine: whatever reaches a pane, no control character reaches the terminal.
const FORBIDDEN = /[\p{Cc}\p{Cs}\p{Bidi_Control}\u2028\u2029]/u;
const FORBIDDEN_ALL = /[\p{Cc}\p{Cs}\p{Bidi_Control}\u2028\u2029]/gu;
// A tower of marks on one letter paints over its neighbours; four are more than any script needs.
const TOWER = /(\p{M}{4})\p{M}+/gu;
const REPLACEMENT = '\ufffd';

/** Longer clusters (nobody writes them) are stepped through in pieces. */
const MAX_GLYPH_UNITS = 256;

/** Chats repeat their letters and words; a full cache starts over, so nobody can make it grow. */
const MAX_CACHED_GLYPHS = 8_192;
const MAX_CACHED_TEXTS = 1_024;
const MAX_CACHED_TEXT_UNITS = 512;
const cache = new Map<string, Glyph | null>();
const texts = new Map<string, readonly Glyph[]>();
const ascii: readonly Glyph[] = Array.from({ length: 0x7f }, (_, unit) => ({
  text: String.fromCharCode(unit),
  width: 1,
}));

/** The glyphs of one line. What would take no column at all is left out, what may not be printed is replaced. */
export function glyphsOf(text: string): readonly Glyph[] {
  if (isPlain(text)) return Array.from({ length: text.length }, (_, index) => ascii[text.charCodeAt(index)] as Glyph);
  const known = texts.get(text);
  if (known !== undefined) return known;
  const glyphs = segment(text);
  if (texts.size >= MAX_CACHED_TEXTS) texts.clear();
  // Only what is painted again and again is worth keeping: the lines on screen.
  if (text.length <= MAX_CACHED_TEXT_UNITS) texts.set(text, glyphs);
  return glyphs;
}

/** The columns a line takes. */
export function widthOf(text: string): number {
  if (isPlain(text)) return text.length;
  let width = 0;
  for (const glyph of glyphsOf(text)) width += glyph.width;
  return width;
}

/** Nothing but printable ASCII: as many columns as characters. */
export function isPlain(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit < 0x20 || unit > 0x7e) return false;
  }
  return true;
}

/** The offset in `text` of the glyph before `offset`; 0 at the start. */
export function previousBoundary(text: string, offset: number): number {
  const from = safeStart(text, offset - 1);
  let last = from;
  for (const { index } of segmenter.segment(text.slice(from, offset))) last = from + index;
  return last;
}

/** The offset in `text` after the glyph that starts at `offset`. */
export function nextBoundary(text: string, offset: number): number {
  const next = segmenter.segment(text.slice(offset, offset + MAX_GLYPH_UNITS)).containing(0);
  return offset + (next?.segment.length ?? 0);
}

/** The nearest offset at or before `offset` that is surely a boundary: between two ASCII characters there always is one. */
function safeStart(text: string, offset: number): number {
  let at = Math.max(0, offset);
  while (at > 0 && !(text.charCodeAt(at) < 0x80 && text.charCodeAt(at - 1) < 0x80)) at -= 1;
  return at;
}

function segment(text: string): readonly Glyph[] {
  const glyphs: Glyph[] = [];
  for (const part of segmenter.segment(text)) {
    const glyph = glyphOf(part.segment);
    if (glyph !== null) glyphs.push(glyph);
  }
  return glyphs;
}

function glyphOf(cluster: string): Glyph | null {
  const known = cache.get(cluster);
  if (known !== undefined) return known;
  const glyph = measure(cluster);
  if (cache.size >= MAX_CACHED_GLYPHS) cache.clear();
  cache.set(cluster, glyph);
  return glyph;
}

function measure(cluster: string): Glyph | null {
  const text = FORBIDDEN.test(cluster) ? cluster.replace(FORBIDDEN_ALL, REPLACEMENT) : cluster.replace(TOWER, '$1');
  const width = stringWidth(text);
  if (width > 0) return { text, width };
  // A mark with nothing to stand on would join whatever is painted before it.
  return /\p{M}/u.test(text) ? { text: `\u25cc${text}`, width: 1 } : null;
}
