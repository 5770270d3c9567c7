import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { completionScript } from '../../lib/cli/completion.ts';
import { loadVerbs } from '../../lib/cli/verbs.ts';

const verbs = await loadVerbs();

/** What bash would offer for this line, whose last word is being typed. */
function offered(...words: string[]): string[] {
  const script = `${completionScript('bash', verbs)}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _bcast; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['-c', script], { encoding: 'utf8' }).trim().split('\n');
}

test('bash offers the verbs, their flags and the values of those', () => {
  expect(offered('bcast', '')).toEqual([...verbs.map(({ name }) => name), 'help', '--help', '--version']);
  expect(offered('bcast', 'se')).toEqual(['send', 'search']);
  expect(offered('bcast', 'tail', '--no')).toEqual(['--no-follow']);
  expect(offered('bcast', 'start', '--log-format', '')).toEqual(['auto', 'pretty', 'json']);
  expect(offered('bcast', 'tail', '--server', '')).toEqual(['']);
  expect(offered('bcast', 'admin', 'se')).toEqual(['sessions']);
  expect(offered('bcast', 'completion', '')).toEqual(['bash', 'zsh', 'fish']);
});

test.each(['bash', 'zsh', 'fish'] as const)('%s knows every flag of every verb', (shell) => {
  const script = completionScript(shell, verbs);
  for (const { name, verb } of verbs) {
    expect(script).toContain(name);
    for (const flag of verb.flags) expect(script).toContain(shell === 'fish' ? `-l ${flag.name} ` : `--${flag.name}`);
  }
});
