import { existsSync, openSync } from 'node:fs';
import { isatty, ReadStream } from 'node:tty';
import type { PasswordSource, TrustPolicy } from '../client/client.ts';
import type { AskCode } from '../client/pipe/enter.ts';
import type { PromptTerminal } from '../client/tui/prompts.ts';

/** What a person may be asked while lines are read and written. */
export interface TerminalQuestions {
  readonly trust: NonNullable<TrustPolicy['ask']>;
  readonly password: (name: string) => PasswordSource;
  readonly code: AskCode;
}

type Prompts = typeof import('../client/tui/prompts.ts');

const TERMINAL = '/dev/tty';

/**
 * How to ask the person at the terminal; undefined where there is none. The terminal is opened by its own name, so that a
 * question never takes a line from stdin.
 */
export function terminalQuestions(signal: AbortSignal): TerminalQuestions | undefined {
  if (!isatty(0) || !isatty(2) || !existsSync(TERMINAL)) return undefined;
  const ask = <T>(how: (prompts: Prompts, terminal: PromptTerminal) => Promise<T>): Promise<T> =>
    onTerminal(signal, how);
  return {
    trust: (address, fingerprint) => ask((prompts, terminal) => prompts.askTrust(terminal, address, fingerprint)),
    password: (name) => (refusal) => ask((prompts, terminal) => prompts.askPassword(terminal, name, refusal)),
    code: (room) => ask((prompts, terminal) => prompts.askCode(terminal, room)),
  };
}

async function onTerminal<T>(
  signal: AbortSignal,
  ask: (prompts: Prompts, terminal: PromptTerminal) => Promise<T>,
): Promise<T> {
  const prompts = await import('../client/tui/prompts.ts');
  const input = new ReadStream(openSync(TERMINAL, 'r'));
  try {
    return await ask(prompts, { input, output: process.stderr as PromptTerminal['output'], signal });
  } catch (error) {
    // While a question stands, the terminal sends a character for Ctrl-C and no signal; it means the same.
    if (error instanceof prompts.Interrupted) {
      process.stderr.write('\n');
      process.emit('SIGINT', 'SIGINT');
    }
    throw error;
  } finally {
    input.destroy();
  }
}
