import { afterEach, describe, expect, test, vi } from 'vitest';
import { parseCommandLine, verbWord } from '../../lib/cli/command-line.ts';
import { loadVerbs } from '../../lib/cli/verbs.ts';

const verbs = await loadVerbs();

/** What a command line means, and what it printed meanwhile. */
function parse(...args: string[]) {
  const [stdout, stderr]: [string[], string[]] = [[], []];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => stdout.push(String(text)) > 0);
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => stderr.push(String(text)) > 0);
  const parsed = parseCommandLine(args, '1.2.3', verbs);
  return {
    parsed,
    input: 'input' in parsed ? parsed.input : undefined,
    stdout: stdout.join(''),
    stderr: stderr.join(''),
  };
}

afterEach(() => void vi.restoreAllMocks());

describe('parseCommandLine', () => {
  test('gives the flags by name, the last of each, and all of the repeatable ones', () => {
    const { input } = parse('tail', '-r', 'a', '--room', 'b', '--json', '-n', '3', '--no-follow', 'bcast://h');
    expect(input?.args).toEqual(['bcast://h']);
    expect(input?.flags).toEqual({ room: 'b', json: 'true', count: '3', 'no-follow': 'true' });
    expect(input?.lists['room']).toEqual(['a', 'b']);
  });

  test('takes what follows -- as words', () => {
    expect(parse('send', '-q', '--', '-r', 'x').input?.args).toEqual(['-r', 'x']);
  });

  test('knows nothing of a flag that was not given', () => {
    expect(parse('tail').input).toEqual({ args: [], flags: {}, lists: {} });
  });

  test('has no flag that would carry a secret', () => {
    for (const { name, verb } of verbs) {
      const flags = verb.flags.map((flag) => flag.name);
      expect([name, flags.filter((flag) => /^(password|code|secret)$/.test(flag))]).toEqual([name, []]);
    }
    expect(parse('tail', '--password', 'x')).toMatchObject({ parsed: { exitCode: 2 } });
  });

  test('sends to one place only', () => {
    for (const other of [
      ['--to', 'bob'],
      ['-r', 'den'],
    ])
      expect(parse('send', '--publish', ...other, 'x')).toMatchObject({ parsed: { exitCode: 2 } });
    expect(parse('send', '--publish', 'x').input?.flags).toEqual({ publish: 'true' });
  });

  test('suggests what may have been meant', () => {
    expect(parse('sned')).toMatchObject({
      parsed: { exitCode: 2 },
      stderr: expect.stringContaining('Did you mean send?'),
    });
    expect(parse('tail', '--jsn')).toMatchObject({
      parsed: { exitCode: 2 },
      stderr: expect.stringContaining('Did you mean --json?'),
    });
  });

  test('prints the version and help on stdout', () => {
    expect(parse('--version')).toMatchObject({ parsed: { exitCode: 0 }, stdout: '1.2.3\n', stderr: '' });
    expect(parse('help')).toMatchObject({ parsed: { exitCode: 0 }, stdout: expect.stringMatching(/^Examples:/) });
    for (const { name } of verbs) {
      const help = parse('help', name);
      expect(help).toMatchObject({ parsed: { exitCode: 0 }, stderr: '' });
      expect(help.stdout).toMatch(/^Examples:\n {2}\S/);
      expect(parse(name, '--help').stdout).toBe(help.stdout);
    }
  });

  test('without a verb prints help on stderr and exits 2', () => {
    expect(parse()).toMatchObject({ parsed: { exitCode: 2 }, stdout: '', stderr: expect.stringMatching(/^Examples:/) });
  });
});

test('verbWord finds the verb to load', () => {
  expect(verbWord(['-q', 'send', 'tail'])).toBe('send');
  expect(verbWord(['help', 'tail'])).toBe('tail');
  expect(verbWord(['--version'])).toBeUndefined();
});

test('every example parses as it stands', () => {
  const examples = verbs.flatMap(({ verb }) => verb.examples.map(([command]) => command));
  for (const example of examples) {
    const words = /bcast ((?:[^|<>&)]|"[^"]*")*)/.exec(example)?.[1]?.match(/"[^"]*"|\S+/g) ?? [];
    const args = words.filter((word) => !/^[<|]|^2$/.test(word));
    expect([example, 'input' in parse(...args).parsed]).toEqual([example, true]);
  }
});
