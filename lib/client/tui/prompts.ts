import { createInterface } from 'node:readline/promises';
import type { ReadStream, WriteStream } from 'node:tty';
import { BcastError } from '../../errors.ts';
import { NAME_RULE, toUserName, type UserName } from '../../protocol/names.ts';
import { sanitiseLine } from '../sanitise.ts';

/** The terminal before the full screen: questions stay readable above it afterwards. */
export interface PromptTerminal {
  readonly input: ReadStream;
  readonly output: WriteStream;
  /** Aborted: the question is withdrawn. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks for a name until it is a valid one; an empty answer takes the suggestion. Throws CLOSED when there is no answer.
 */
export async function askName(terminal: PromptTerminal, suggestion: UserName | null): Promise<UserName> {
  for (;;) {
    const answer = (await ask(terminal, suggestion === null ? 'Your name: ' : `Your name [${suggestion}]: `)).trim();
    const name = answer === '' ? suggestion : toUserName(answer);
    if (name !== null) return name;
    terminal.output.write(`A name is ${NAME_RULE}.\n`);
  }
}

/** Asks, as ssh does, whether a server not known yet is the right one. The fingerprint itself is an answer too. */
export async function askTrust(terminal: PromptTerminal, address: string, fingerprint: string): Promise<boolean> {
  const { output } = terminal;
  output.write(`You have not been to ${sanitiseLine(address)} before. Its fingerprint is\n\n    ${fingerprint}\n\n`);
  output.write('The one who runs it sees the same when the server starts. If it differs, somebody is in between.\n');
  for (
    let question = 'Is it the right one? (yes, no, or the fingerprint) ';
    ;
    question = 'Please type yes, no, or the fingerprint: '
  ) {
    const answer = (await ask(terminal, question)).trim();
    if (answer === fingerprint || answer.toLowerCase() === 'yes') return true;
    if (answer.toLowerCase() === 'no') return false;
  }
}

/** Ctrl-C at a question; `runTui` turns it into the exit code that shells expect. */
export class Interrupted extends Error {}

/** One line from the terminal. Throws Interrupted on Ctrl-C, CLOSED when there will be none. */
async function ask({ input, output, signal }: PromptTerminal, question: string): Promise<string> {
  const lines = createInterface({ input, output, terminal: true, historySize: 0 });
  const closed = new Promise<never>((_, reject) => {
    const end = (): void => reject(new BcastError('CLOSED', { text: 'Nothing was answered.' }));
    lines.once('SIGINT', () => reject(new Interrupted()));
    lines.once('close', end);
    signal?.addEventListener('abort', end, { once: true });
  });
  try {
    return await Promise.race([lines.question(question), closed]);
  } finally {
    closed.catch(() => undefined);
    lines.close();
  }
}
