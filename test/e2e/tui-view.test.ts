import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { joined, message, online, user } from '../client/tui/play.ts';
import type { Script } from '../helpers/fake-screen.ts';
import { TestTerminal } from '../helpers/terminal.ts';

const FAKE_SCREEN = join(import.meta.dirname, '../helpers/fake-screen.ts');

/** The full screen with these events behind it and no server. */
function openFake(events: Script['events'], columns = 80, rows = 24): TestTerminal {
  const dir = mkdtempSync(join(tmpdir(), 'bcast-screen-'));
  const script: Script = { me: 'alice', events, members: [{ name: user('alice'), role: 'member', away: null }] };
  writeFileSync(join(dir, 'script.json'), JSON.stringify(script));
  const terminal = new TestTerminal(process.execPath, [FAKE_SCREEN, join(dir, 'script.json')], {
    columns,
    rows,
    env: { TZ: 'UTC' },
  });
  onTestFinished(() => {
    terminal.close();
    rmSync(dir, { recursive: true, force: true });
  });
  return terminal;
}

test('gives the terminal back when the program fails, and then says why', async () => {
  const screen = openFake([online(), joined('lobby')]);
  await screen.until('#lobby ›');
  expect(screen.isAlternate).toBe(true);
  screen.type('crash\r');
  const { exitCode, output } = await screen.exited;
  expect(exitCode).toBe(1);
  expect(screen.isAlternate).toBe(false);
  expect(screen.isBracketedPaste).toBe(false);
  expect(output.indexOf('a fault of ours')).toBeGreaterThan(output.lastIndexOf('\x1b[?1049l'));
  expect(screen.text()).toContain('a fault of ours');
});

test('paints what differs, not the screen', async () => {
  const screen = openFake([
    online(),
    joined('lobby'),
    ...Array.from({ length: 40 }, (_, index) => message('lobby', 'bob', `line ${index}`)),
  ]);
  await screen.until('line 39');
  await screen.until(({ cursor }) => cursor.row === 23);
  const before = screen.output.length;
  screen.type('x');
  await screen.until('› x');
  expect(screen.output.length - before).toBeLessThan(400);
});

test('repaints everything on Ctrl-L', async () => {
  const screen = openFake([online(), joined('lobby'), message('lobby', 'bob', 'still-here')]);
  await screen.until('still-here');
  const before = screen.output.length;
  screen.type('\x0c');
  await screen.until(({ output }) => output.slice(before).includes('still-here'));
});

test('leaves no debris when wide characters come and go', async () => {
  const wide = ['日本語日本語', 'a日本語', '👨‍👩‍👧‍👦👨‍👩‍👧‍👦 x', 'x👍🏽y🇩🇪z', 'ab日c本d', '❤️❤️❤️', 'क्षिक्षि', 'plain'];
  const screen = openFake([online(), joined('lobby')]);
  await screen.until('#lobby ›');
  for (const text of wide) {
    // Typing them into the input replaces them in place, cell by cell.
    screen.type(`\x15${text}|`);
    await screen.until(({ line }) => line.call(screen, 23).includes('|'));
    await screen.until(({ cursor, line }) => line.call(screen, 23).trimEnd().endsWith('|') && cursor.column > 0);
    screen.type(`\x15`);
    await screen.until(({ line }) => line.call(screen, 23).trimEnd() === ' #lobby ›');
    screen.type(`${text}\r`);
    await screen.until(({ line }) => line.call(screen, 23).trimEnd() === ' #lobby ›');
  }
  screen.type('all-of-it\r');
  await screen.until(/all-of-it\s/);
  const shown = (): string[] => Array.from({ length: screen.rows }, (_, row) => screen.line(row).trimEnd());
  const incremental = shown();
  // What was painted bit by bit is what is painted whole.
  const before = screen.output.length;
  screen.type('\x0c');
  await screen.until(({ output }) => output.slice(before).includes('all-of-it'));
  await screen.until(({ cursor }) => cursor.row === 23);
  expect(shown()).toEqual(incremental);
});
