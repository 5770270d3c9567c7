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

const TERMINAL = '/dev/tty';

/**
 * How to ask the person at the terminal; undefined where there is none. The terminal is opened by its own name, so that a
 * question never takes a line from stdin.
 */
export function terminalQuestions(signal: AbortSignal): TerminalQuestions | undefined {
  if (!isatty(0) || !isatty(2) || !existsSync(TERMINAL)) return undefined;
  return {
    trust: (address, fingerprint) =>
      onTerminal(signal, async (terminal) => {
        const { askTrust } = await import('../client/tui/prompts.ts');
        return askTrust(terminal, address, fingerprint);
      }),
    password: (name) => (refusal) =>
      onTerminal(signal, async (terminal) => {
        const { askPassword } = await import('../client/tui/prompts.ts');
        return askPassword(terminal, name, refusal);
      }),
    code: (room) =>
      onTerminal(signal, async (terminal) => {
        const { askCode } = await import('../client/tui/prompts.ts');
        return askCode(terminal, room);
      }),
  };
}

/** Asks for a new password; null where there is no terminal to ask on, or no answer. */
export async function newPassword(name: string): Promise<string | null> {
  if (!isatty(0) || !isatty(2) || !existsSync(TERMINAL)) return null;
  const { signal } = new AbortController();
  return onTerminal(signal, async (terminal) => {
    const { askNewPassword } = await import('../client/tui/prompts.ts');
    return askNewPassword(terminal, name);
  });
}

async function onTerminal<T>(signal: AbortSignal, ask: (terminal: PromptTerminal) => Promise<T>): Promise<T> {
  const { Interrupted } = await import('../client/tui/prompts.ts');
  const input = new ReadStream(openSync(TERMINAL, 'r'));
  try {
    return await ask({ input, output: process.stderr as PromptTerminal['output'], signal });
  } catch (error) {
    // While a question stands, the terminal sends a character for Ctrl-C and no signal; it means the same.
    if (error instanceof Interrupted) {
      process.stderr.write('\n');
      // Where nothing is to be brought to an end first, nobody listens.
      if (!process.emit('SIGINT', 'SIGINT')) process.exit(130);
    }
    throw error;
  } finally {
    input.destroy();
  }
}
