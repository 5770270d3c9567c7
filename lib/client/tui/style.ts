/** What a piece of text means; the theme decides how that looks. */
export type Ink = 'text' | 'dim' | 'faint' | 'accent' | 'good' | 'warn' | 'error' | `nick${number}`;

/** What it stands on. */
export type Ground = 'bar' | 'chosen';

export interface Style {
  readonly ink: Ink;
  readonly ground?: Ground;
  readonly bold?: true;
  readonly underline?: true;
  readonly inverse?: true;
}

/** A piece of a line in one style. */
export interface Span {
  readonly text: string;
  readonly style: Style;
}

/** One line of the screen, or of a part of it. */
export type Row = readonly Span[];

export const TEXT: Style = { ink: 'text' };
export const STRONG: Style = { ink: 'text', bold: true };
export const DIM: Style = { ink: 'dim' };
export const FAINT: Style = { ink: 'faint' };
export const ACCENT: Style = { ink: 'accent' };
export const ACCENT_STRONG: Style = { ink: 'accent', bold: true };
export const LINK: Style = { ink: 'text', underline: true };
export const WARN: Style = { ink: 'warn' };
export const ERROR: Style = { ink: 'error' };
export const FOUND: Style = { ink: 'text', inverse: true };
export const BAR: Style = { ink: 'text', ground: 'bar' };
export const BAR_STRONG: Style = { ink: 'text', ground: 'bar', bold: true };
export const BAR_DIM: Style = { ink: 'dim', ground: 'bar' };
export const BAR_ACCENT: Style = { ink: 'accent', ground: 'bar', bold: true };
export const BAR_GOOD: Style = { ink: 'good', ground: 'bar' };
export const BAR_WARN: Style = { ink: 'warn', ground: 'bar' };
export const BAR_ERROR: Style = { ink: 'error', ground: 'bar', bold: true };
export const CHOSEN: Style = { ink: 'text', ground: 'chosen', bold: true };

/** How many colours names are spread over. */
const NICK_INKS = 12;

const nickStyles: readonly Style[] = Array.from({ length: NICK_INKS }, (_, index) => ({ ink: `nick${index}` }));

/** A name's own style: the same name has the same colour in every session and on every machine. */
export function nickStyle(name: string): Style {
  // FNV-1a over the lower-case name: stable, and spreads short names well.
  let hash = 0x811c9dc5;
  const key = name.toLowerCase();
  for (let i = 0; i < key.length; i += 1) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  // The low bits of FNV-1a are its weakest.
  return nickStyles[((hash ^ (hash >>> 15)) >>> 0) % NICK_INKS] as Style;
}

export function span(text: string, style: Style): Span {
  return { text, style };
}
