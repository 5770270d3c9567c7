import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseCommandLine } from '../../lib/cli/command-line.ts';
import { loadVerbs } from '../../lib/cli/verbs.ts';
import { ERRORS } from '../../lib/errors.ts';
import { tableRows } from './tables.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/PIPE.md'), 'utf8');
const rows = tableRows(page, 'code', 'meaning', 'errors');

describe('docs/PIPE.md', () => {
  test('promises the exit codes that are frozen, and no others', () => {
    expect(rows.map(([code]) => Number(code))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 130, 143]);
  });

  test('gives each exit code the errors that the table of errors gives it', () => {
    for (const [code, , errors = ''] of rows) {
      const named = errors.match(/\w+/g) ?? [];
      const expected = Object.entries(ERRORS).filter(([, { exit }]) => exit === Number(code));
      expect([code, named]).toEqual([code, expected.map(([name]) => name)]);
    }
  });

  test('names no flag that there is not', async () => {
    const known = (await loadVerbs()).flatMap(({ verb }) => verb.flags.map(({ name }) => name));
    for (const [, flag] of page.matchAll(/`--([a-z-]+)/g)) expect(known).toContain(flag);
  });

  test('shows commands that parse', async () => {
    const verbs = await loadVerbs();
    const commands = page.match(/```sh\n([\s\S]*?)```/)?.[1]?.match(/\bbcast [^|<>\n]*/g) ?? [];
    expect(commands.length).toBeGreaterThan(5);
    for (const command of commands) {
      const args = command
        .split(/\s+/)
        .slice(1)
        .filter((word) => word !== '');
      const end = args.indexOf('||');
      expect([command, parseCommandLine(end < 0 ? args : args.slice(0, end), '0', verbs)]).toEqual([
        command,
        expect.objectContaining({ verb: expect.anything() }),
      ]);
    }
  });
});
