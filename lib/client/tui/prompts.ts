import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
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

/** Asks for the password of a registered name; null when there is none. What is typed is not shown. */
export async function askPassword(
  terminal: PromptTerminal,
  name: string,
  { code, message }: BcastError,
): Promise<string | null> {
  if (code !== 'NAME_REGISTERED') terminal.output.write(`${sanitiseLine(message)}\n`);
  else
    terminal.output.write(`${sanitiseLine(name)} is registered. If it is yours, give its password, else just Enter.\n`);
  const answer = await askHidden(terminal, `Password of ${sanitiseLine(name)}: `);
  return answer === '' ? null : answer;
}

/** Asks for a new password, twice, until both are the same; null when there is none. What is typed is not shown. */
export async function askNewPassword(terminal: PromptTerminal, name: string): Promise<string | null> {
  for (;;) {
    const first = await askHidden(terminal, `New password of ${sanitiseLine(name)}: `);
    if (first === '') return null;
    if ((await askHidden(terminal, 'The same again: ')) === first) return first;
    terminal.output.write('They are not the same.\n');
  }
}

/** Asks for the code of a locked room; null when there is none. What is typed is not shown. */
export async function askCode(terminal: PromptTerminal, room: string): Promise<string | null> {
  const answer = (await askHidden(terminal, `${sanitiseLine(room)} is locked. Its code: `)).trim();
  return answer === '' ? null : answer;
}

/** Ctrl-C at a question; `runTui` turns it into the exit code that shells expect. */
export class Interrupted extends Error {}

/** One line that is not shown while it is typed. Throws as `ask` does. */
async function askHidden(terminal: PromptTerminal, question: string): Promise<string> {
  try {
    return await ask(terminal, question, new Writable({ write: (_chunk, _encoding, done) => done() }));
  } finally {
    terminal.output.write('\n');
  }
}

/** One line from the terminal. Throws Interrupted on Ctrl-C, CLOSED when there will be none. */
async function ask(
  { input, output, signal }: PromptTerminal,
  question: string,
  echo: Writable = output,
): Promise<string> {
  const lines = createInterface({ input, output: echo, terminal: true, historySize: 0 });
  // Only now: the terminal must not echo, nor take Ctrl-C for itself, by the time somebody can read the question.
  if (echo !== output) output.write(question);
  const closed = new Promise<never>((_, reject) => {
    const end = (): void => reject(new BcastError('CLOSED', { text: 'Nothing was answered.' }));
    lines.once('SIGINT', () => reject(new Interrupted()));
    lines.once('close', end);
    signal?.addEventListener('abort', end, { once: true });
  });
  try {
    return await Promise.race([lines.question(echo === output ? question : ''), closed]);
  } finally {
    closed.catch(() => undefined);
    lines.close();
  }
}
