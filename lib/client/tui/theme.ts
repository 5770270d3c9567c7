import type { Ground, Ink, Style } from './style.ts';

/** What a terminal can do to a cell. Colours are numbers of xterm's palette of 256; null: the terminal's own. */
export interface Look {
  readonly foreground: number | null;
  readonly background: number | null;
  readonly isBold: boolean;
  readonly isUnderlined: boolean;
  readonly isInverse: boolean;
}

/**
 * On the terminal's own ground, which may be dark or light, only colours in the middle can be read on both; on a ground
 * of our own they are chosen for it. [alone, on a ground]
 */
const INKS: Readonly<Record<Exclude<Ink, `nick${number}`>, readonly [number | null, number]>> = {
  text: [null, 253],
  dim: [245, 247],
  faint: [240, 242],
  accent: [68, 111],
  good: [35, 78],
  warn: [172, 221],
  error: [167, 210],
};
const GROUNDS: Readonly<Record<Ground, number>> = { bar: 236, chosen: 238 };

/** Far enough apart, and from the accent and the colour of errors. */
const NICKS: readonly number[] = [37, 98, 71, 173, 133, 136, 166, 168, 64, 31, 140, 36];

/** How a style looks. Without colours, weight and inversion say what they must. */
export function lookOf(style: Style, hasColour: boolean): Look {
  return hasColour ? coloured(style) : plain(style);
}

function coloured({ ink, ground, bold, underline, inverse }: Style): Look {
  return {
    foreground: inkColour(ink, ground !== undefined),
    background: ground === undefined ? null : GROUNDS[ground],
    isBold: bold === true,
    isUnderlined: underline === true,
    isInverse: inverse === true,
  };
}

function inkColour(ink: Ink, isOnGround: boolean): number | null {
  if (ink.startsWith('nick')) return NICKS[Number(ink.slice(4)) % NICKS.length] as number;
  return INKS[ink as Exclude<Ink, `nick${number}`>][isOnGround ? 1 : 0];
}

function plain({ ink, ground, bold, underline, inverse }: Style): Look {
  return {
    foreground: null,
    background: null,
    isBold: bold === true || ink === 'error' || ink === 'warn',
    isUnderlined: underline === true,
    isInverse: inverse === true || ground !== undefined,
  };
}

/**
 * Whether to use colours (no-color.org): `--no-color`, a non-empty NO_COLOR and a dumb terminal mean no; FORCE_COLOR
 * means yes unless `--no-color` is given.
 */
export function wantsColour(env: Readonly<Record<string, string | undefined>>, isForbidden: boolean): boolean {
  const { NO_COLOR: no = '', FORCE_COLOR: force = '', TERM: term } = env;
  if (isForbidden) return false;
  if (force !== '' && force !== '0') return true;
  return no === '' && term !== 'dumb';
}
