import { fstatSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { connect } from '../client/client.ts';
import { type PipeOptions, placesOf } from '../client/pipe/options.ts';
import { runPipe } from '../client/pipe/run.ts';
import { systemClock } from '../clock.ts';
import { BcastError } from '../errors.ts';
import { type Endpoint, unaskedName } from './endpoint.ts';
import { commonOptions } from './pipe-flags.ts';
import { listenForStop } from './stop-signals.ts';
import { terminalQuestions } from './terminal-questions.ts';
import type { VerbInput } from './verb.ts';

/** Runs line mode for a verb; what differs between them is where messages come from and what is printed. */
export async function runLineMode(
  input: VerbInput,
  endpoint: Endpoint,
  parts: Partial<Pick<PipeOptions, 'input' | 'output' | 'search' | 'create'>>,
): Promise<number> {
  const { rooms, isRoomNamed, code } = endpoint;
  const isForFollowers = input.flags['publish'] !== undefined;
  const places = placesOf({ rooms, isRoomNamed, to: input.flags['to'], isForFollowers });
  const nothing = { input: null, output: null, search: null, create: undefined };
  const options: PipeOptions = { ...nothing, ...commonOptions(input), code, ...parts, ...places };
  const stop = listenForStop();
  const questions = terminalQuestions(stop.signal);
  const user = unaskedName(endpoint);
  const trust = { ...endpoint.connect.trust, ask: questions?.trust };
  const password = endpoint.connect.password ?? questions?.password(user);
  try {
    const { exitCode, isSettled } = await runPipe({
      options,
      streams: { openStdin, stdout: process.stdout, note },
      clock: systemClock,
      signal: stop.signal,
      askCode: questions?.code,
      connect: (onFirstWait) => connect({ ...endpoint.connect, trust, password, user, onFirstWait }),
    });
    const code = stop.exitCode ?? exitCode;
    if (!isSettled) await leave(code);
    return code;
  } catch (error) {
    if (stop.exitCode === undefined) throw error;
    return stop.exitCode;
  } finally {
    stop.release();
  }
}

/** stdin, only when it is to be read: looking at it is enough to take from whoever shares it. Throws INPUT_FAILED. */
function openStdin(): Readable {
  // Node takes a directory for an empty input, and nothing sent would look like everything sent.
  if (fstatSync(0).isDirectory())
    throw new BcastError('INPUT_FAILED', { text: 'stdin cannot be read: it is a directory.' });
  return process.stdin;
}

function note(line: string): void {
  process.stderr.write(`bcast: ${line}\n`);
}

/** Ends a process that something left behind would keep alive, once stderr is written; stdout has nothing any more. */
async function leave(code: number): Promise<never> {
  await new Promise<void>((resolve) => process.stderr.write('', () => resolve()));
  process.exit(code);
}
