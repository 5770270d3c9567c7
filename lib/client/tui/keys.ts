/** What came from the keyboard. */
export type KeyEvent =
  /** Printable characters, as many as came together. */
  | { readonly type: 'text'; readonly text: string }
  /** A key by its name: `enter`, `pageup`, `f1`, `C-a`, `M-b`, `C-M-c`, `S-tab`. */
  | { readonly type: 'key'; readonly name: string }
  /** A bracketed paste, with line breaks as `\n`. */
  | { readonly type: 'paste'; readonly text: string };

/** What the decoder holds between two chunks. */
export interface KeyState {
  /** The start of a character whose rest has not come. */
  readonly bytes: Uint8Array;
  /** The start of an escape sequence, or a lone Escape: only time tells. */
  readonly escape: string;
  /** What was pasted so far, while a paste goes on. */
  readonly paste: string | null;
}

export const NO_KEYS: KeyState = { bytes: new Uint8Array(0), escape: '', paste: null };

/** How long a lone Escape waits for the rest of a sequence, in milliseconds: less than anybody types, more than ssh tears apart. */
export const ESCAPE_TIMEOUT_MS = 50;

/** A paste beyond this many characters is cut; a message can hold far less. */
const MAX_PASTE_CHARS = 1_048_576;
/** No terminal sends a longer sequence; what is longer is dropped. */
const MAX_SEQUENCE_CHARS = 64;

const ESC = '\x1b';
const PASTE_END = '\x1b[201~';
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

const FINALS: Readonly<Record<string, string>> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  E: 'begin',
  F: 'end',
  H: 'home',
  M: 'enter',
  P: 'f1',
  Q: 'f2',
  R: 'f3',
  S: 'f4',
  Z: 'S-tab',
};
const NUMBERS: Readonly<Record<number, string>> = {
  1: 'home',
  2: 'insert',
  3: 'delete',
  4: 'end',
  5: 'pageup',
  6: 'pagedown',
  7: 'home',
  8: 'end',
  11: 'f1',
  12: 'f2',
  13: 'f3',
  14: 'f4',
  15: 'f5',
  17: 'f6',
  18: 'f7',
  19: 'f8',
  20: 'f9',
  21: 'f10',
  23: 'f11',
  24: 'f12',
};
const CONTROLS: Readonly<Record<number, string>> = {
  0: 'C-space',
  8: 'backspace',
  9: 'tab',
  13: 'enter',
  28: 'C-\\',
  29: 'C-]',
  30: 'C-^',
  31: 'C-_',
  127: 'backspace',
};

/** Bytes as the terminal sends them (xterm's sequences, in both keypad modes) as key events. Pure; owns no buffer. */
export function decodeKeys(state: KeyState, chunk: Uint8Array): readonly [KeyState, readonly KeyEvent[]] {
  const [text, bytes] = decodeText(state.bytes, chunk);
  const events: KeyEvent[] = [];
  let { paste } = state;
  let rest = state.escape + text;
  while (rest.length > 0) {
    const step = paste === null ? stepKey(rest) : stepPaste(rest, paste);
    if (step.event !== undefined) push(events, step.event);
    paste = step.paste;
    if (step.used === 0) break;
    rest = rest.slice(step.used);
  }
  return [{ bytes, escape: rest, paste }, events];
}

/** Whether a lone Escape (or half a sequence) waits for its rest: then call `flushKeys` after ESCAPE_TIMEOUT_MS. */
export function isEscapePending(state: KeyState): boolean {
  return state.paste === null && state.escape !== '';
}

/** Time is up: what waits was an Escape, or Escape and a key. */
export function flushKeys(state: KeyState): readonly [KeyState, readonly KeyEvent[]] {
  if (!isEscapePending(state)) return [state, []];
  return [{ ...state, escape: '' }, waitingKeys(state.escape)];
}

function waitingKeys(waiting: string): KeyEvent[] {
  if (waiting === ESC) return [key('escape')];
  if (waiting.startsWith(ESC + ESC)) return [key('escape'), ...waitingKeys(waiting.slice(1))];
  return waiting.length === 2 ? [key(`M-${waiting[1]}`)] : [];
}

interface Step {
  /** Characters consumed; 0: more must come first. */
  readonly used: number;
  readonly event?: KeyEvent | undefined;
  readonly paste: string | null;
}

function stepPaste(rest: string, paste: string): Step {
  const end = rest.indexOf(PASTE_END);
  if (end !== -1) {
    const text = clip(paste + rest.slice(0, end)).replace(/\r\n?/g, '\n');
    return { used: end + PASTE_END.length, event: { type: 'paste', text }, paste: null };
  }
  // The last characters may be the start of the end.
  const used = Math.max(0, rest.length - PASTE_END.length + 1);
  return { used, paste: clip(paste + rest.slice(0, used)) };
}

function stepKey(rest: string): Step {
  const code = rest.charCodeAt(0);
  if (rest.startsWith(ESC)) return stepEscape(rest);
  if (isControl(code)) return { used: 1, event: controlKey(code), paste: null };
  let end = 1;
  while (end < rest.length && !isControl(rest.charCodeAt(end))) end += 1;
  return { used: end, event: { type: 'text', text: rest.slice(0, end) }, paste: null };
}

function stepEscape(rest: string): Step {
  const next = rest[1];
  if (next === undefined) return { used: 0, paste: null };
  if (next === '[') return stepSequence(rest, 2);
  if (next === 'O') return stepKeypad(rest);
  if (next === ESC) return stepDoubleEscape(rest);
  const code = next.codePointAt(0) as number;
  const inner = isControl(code) ? controlKey(code)?.name : next;
  // Two UTF-16 units for a character beyond the first plane.
  const used = 1 + ((rest.codePointAt(1) as number) > 0xffff ? 2 : 1);
  const name = inner === undefined ? undefined : withAlt(isControl(code) ? inner : rest.slice(1, used));
  return { used, event: name === undefined ? undefined : { type: 'key', name }, paste: null };
}

/** Some terminals put a second Escape before a sequence when Alt is held. */
function stepDoubleEscape(rest: string): Step {
  const inner = stepEscape(rest.slice(1));
  if (inner.used === 0) return inner;
  const event = inner.event?.type === 'key' ? key(withAlt(inner.event.name)) : inner.event;
  return { used: inner.used + 1, event, paste: inner.paste };
}

/** ESC O and one character: cursor and function keys in keypad mode. */
function stepKeypad(rest: string): Step {
  const final = rest[2];
  if (final === undefined) return { used: 0, paste: null };
  const name = FINALS[final];
  return name === undefined ? { used: 2, event: key('M-O'), paste: null } : { used: 3, event: key(name), paste: null };
}

/** ESC [ parameters final (ECMA-48 §5.4). Unknown ones are swallowed whole, never typed. */
function stepSequence(rest: string, from: number): Step {
  // The Linux console's F1 to F5.
  if (rest[from] === '[') {
    const letter = rest[from + 1];
    if (letter === undefined) return { used: 0, paste: null };
    const index = 'ABCDE'.indexOf(letter);
    return { used: from + 2, event: index === -1 ? undefined : key(`f${index + 1}`), paste: null };
  }
  let end = from;
  while (end < rest.length && isParameter(rest.charCodeAt(end))) end += 1;
  if (end - from > MAX_SEQUENCE_CHARS) return { used: end, paste: null };
  const final = rest[end];
  if (final === undefined) return { used: 0, paste: null };
  if (isControl(final.charCodeAt(0))) return { used: end, paste: null };
  const parameters = rest.slice(from, end);
  if (final === '~' && parameters === '200') return { used: end + 1, paste: '' };
  const name = sequenceKey(parameters, final);
  return { used: end + 1, event: name === undefined ? undefined : key(name), paste: null };
}

function sequenceKey(parameters: string, final: string): string | undefined {
  // Private parameters are reports (of a mouse, of a mode), and M begins one too.
  if (/^[<=>?]/.test(parameters) || final === 'M') return undefined;
  const [first = 0, second = 1, third = 0] = parameters.split(';').map((part) => Number.parseInt(part, 10) || 0);
  if (final === 'u') return withModifiers(codeName(first), second);
  if (final === '~') {
    // xterm's modifyOtherKeys: 27 ; modifiers ; code.
    if (first === 27) return withModifiers(codeName(third), second);
    return withModifiers(NUMBERS[first], second);
  }
  // Focus reports end in I and O; they are no keys.
  return withModifiers(FINALS[final], second);
}

function codeName(code: number): string | undefined {
  if (code === 27) return 'escape';
  if (isControl(code)) return controlKey(code)?.name;
  return code <= 0x10ffff && code > 31 ? String.fromCodePoint(code) : undefined;
}

/** xterm's modifier: 1 + Shift 1 + Alt 2 + Control 4. */
function withModifiers(name: string | undefined, parameter: number): string | undefined {
  if (name === undefined) return undefined;
  const bits = Math.max(0, parameter - 1);
  const isLetter = [...name].length === 1;
  const shift = (bits & 1) !== 0 && !isLetter && !name.startsWith('S-') ? 'S-' : '';
  return `${bits & 4 ? 'C-' : ''}${bits & 2 ? 'M-' : ''}${shift}${name}`;
}

function controlKey(code: number): { readonly type: 'key'; readonly name: string } | undefined {
  const name = CONTROLS[code] ?? (code > 0 && code < 27 ? `C-${String.fromCharCode(code + 96)}` : undefined);
  return name === undefined ? undefined : { type: 'key', name };
}

function withAlt(name: string): string {
  return name.startsWith('C-') ? `C-M-${name.slice(2)}` : `M-${name}`;
}

function key(name: string): KeyEvent {
  return { type: 'key', name };
}

/** C0, DEL and C1. */
function isControl(code: number): boolean {
  return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

function isParameter(code: number): boolean {
  return code >= 0x20 && code < 0x40;
}

/** Text in two chunks of one paste or one burst is one event. */
function push(events: KeyEvent[], event: KeyEvent): void {
  const last = events[events.length - 1];
  if (event.type === 'text' && last?.type === 'text')
    events[events.length - 1] = { type: 'text', text: last.text + event.text };
  else events.push(event);
}

function clip(text: string): string {
  return text.length > MAX_PASTE_CHARS ? text.slice(0, MAX_PASTE_CHARS) : text;
}

/** The characters that are complete, and the bytes of the one that is not. */
function decodeText(before: Uint8Array, chunk: Uint8Array): readonly [string, Uint8Array] {
  const all = new Uint8Array(before.length + chunk.length);
  all.set(before);
  all.set(chunk, before.length);
  const end = all.length - incompleteTail(all);
  return [decoder.decode(all.subarray(0, end)), all.slice(end)];
}

/** How many bytes at the end begin a character without ending it (RFC 3629 §3). */
function incompleteTail(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] as number;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}
