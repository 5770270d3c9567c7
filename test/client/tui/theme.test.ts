import { describe, expect, test } from 'vitest';
import * as styles from '../../../lib/client/tui/style.ts';
import { lookOf, wantsColour } from '../../../lib/client/tui/theme.ts';

/** The relative luminance of a colour of xterm's cube (WCAG 2, relative luminance). */
function luminance(index: number): number {
  const cube = [Math.floor((index - 16) / 36), Math.floor((index - 16) / 6) % 6, (index - 16) % 6];
  const [red = 0, green = 0, blue = 0] = cube.map((step) => {
    const part = (step === 0 ? 0 : 55 + step * 40) / 255;
    return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

const names = Array.from({ length: 400 }, (_, index) => `name${index}`);

describe('names', () => {
  test('have the same colour everywhere and in any case', () => {
    for (const name of names) expect(styles.nickStyle(name)).toBe(styles.nickStyle(name.toUpperCase()));
    expect(styles.nickStyle('alice').ink).toBe('nick11');
  });

  test('are spread over all colours, none of which vanishes on a black or a white ground', () => {
    const colours = new Set(names.map((name) => lookOf(styles.nickStyle(name), true).foreground as number));
    expect(colours.size).toBe(12);
    for (const colour of colours) {
      expect((luminance(colour) + 0.05) / 0.05).toBeGreaterThan(3);
      expect(1.05 / (luminance(colour) + 0.05)).toBeGreaterThan(2.4);
    }
  });
});

describe('without colours', () => {
  test.each(Object.entries(styles).filter(([, style]) => typeof style === 'object' && 'ink' in style))(
    '%s has none',
    (_name, style) => {
      const look = lookOf(style as styles.Style, false);
      expect(look).toMatchObject({ foreground: null, background: null });
    },
  );

  test('a ground of its own is inverse, and errors are bold', () => {
    expect(lookOf(styles.BAR, false).isInverse).toBe(true);
    expect(lookOf(styles.ERROR, false).isBold).toBe(true);
  });

  test.each([
    [{}, false, true],
    [{ TERM: 'xterm-256color' }, false, true],
    [{ NO_COLOR: '1' }, false, false],
    [{ NO_COLOR: '' }, false, true],
    [{ TERM: 'dumb' }, false, false],
    [{ FORCE_COLOR: '1', NO_COLOR: '1' }, false, true],
    [{ FORCE_COLOR: '0', NO_COLOR: '1' }, false, false],
    [{ FORCE_COLOR: '1' }, true, false],
  ])('%o and --no-color %s: colours %s', (env, isForbidden, wants) => {
    expect(wantsColour(env, isForbidden)).toBe(wants);
  });
});
