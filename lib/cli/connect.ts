import type { ReadStream, WriteStream } from 'node:tty';
import { isatty } from 'node:tty';
import { chosenName } from '../client/account.ts';
import type { JoinOptions } from '../client/client.ts';
import { placesOf } from '../client/pipe/options.ts';
import { nameOfAccount, rememberedName, rememberName } from '../client/profile.ts';
import { choice } from '../config/kinds.ts';
import { CLIENT_OPTIONS } from '../config/options.ts';
import { BcastError } from '../errors.ts';
import { type Endpoint, findEndpoint } from './endpoint.ts';
import { runLineMode } from './line-mode.ts';
import { COMMON_FLAGS, INPUT_FLAGS, inputForm, OUTPUT_FLAGS, outputOptions } from './pipe-flags.ts';
import { listenForStop } from './stop-signals.ts';
import { type Flag, flagsOf, type Verb, type VerbInput } from './verb.ts';

const CREATE: Flag = {
  name: 'create',
  placeholder: 'open|locked',
  choices: ['open', 'locked'],
  help: 'Make the room; a locked one has a code, which is told only now.',
};
const STAY: Flag = { name: 'stay', help: 'Go on receiving after the end of stdin.' };
const LINE_FLAGS: readonly Flag[] = [...INPUT_FLAGS, STAY, ...OUTPUT_FLAGS, ...COMMON_FLAGS];

/** `bcast connect`: full screen when stdin and stdout are a terminal and no flag asks for lines; else line mode. */
export const connect: Verb = {
  args: [{ name: 'URL', help: 'The server, and perhaps the room: bcast://HOST[:PORT][/ROOM]' }],
  flags: [
    ...flagsOf(CLIENT_OPTIONS),
    CREATE,
    { name: 'no-color', help: 'No colours on the full screen; NO_COLOR does the same.' },
    ...LINE_FLAGS,
  ],
  examples: [
    ['bcast connect -u alice', 'talk on the server of this machine'],
    ['bcast connect bcast://chat.example.org/builds', 'on another one, in a room'],
    ['bcast connect -r den --create locked', 'make a room that needs a code'],
    ['make 2>&1 | bcast connect -r builds', 'every line becomes a message'],
    ['bcast connect --stay --json <questions | ./bot', 'send, and go on receiving'],
  ],
  notes: 'In a pipe, each line of stdin is one message and nothing in it is interpreted. Exit codes: docs/PIPE.md.',
  async run(input) {
    const endpoint = findEndpoint(input, input.args[0]);
    const isLineMode = LINE_FLAGS.some(({ name }) => input.flags[name] !== undefined);
    const isScreen = isatty(0) && isatty(1) && endpoint.environment.env['TERM'] !== 'dumb';
    if (isScreen && !isLineMode) return runFullScreen(input, endpoint);
    const stay = input.flags['stay'] !== undefined;
    return runLineMode(input, endpoint, {
      input: { form: inputForm(input), stay },
      output: outputOptions(input),
      create: accessOf(input, endpoint),
    });
  },
};

/** How the room is to be made. Throws CONFIG and USAGE. */
function accessOf({ flags }: VerbInput, { rooms }: Endpoint): JoinOptions['create'] {
  const raw = flags[CREATE.name];
  if (raw === undefined) return undefined;
  const kind = choice('open', 'locked');
  const access = kind.parse(raw);
  if (access === null)
    throw new BcastError('CONFIG', { text: `--create must be ${kind.rule}, not ${JSON.stringify(raw)}.` });
  if (rooms.length > 1) throw new BcastError('USAGE', { text: 'One room is made at a time: give -r once.' });
  return access;
}

async function runFullScreen(input: VerbInput, endpoint: Endpoint): Promise<number> {
  const { runTui } = await import('../client/tui/program.ts');
  const { connect: target, user, files, environment } = endpoint;
  const stop = listenForStop();
  try {
    const exitCode = await runTui({
      connect: target,
      user: user === undefined ? rememberedName(files) : chosenName(user),
      suggestedName: nameOfAccount(environment.account),
      rooms: placesOf({ rooms: endpoint.rooms, isRoomNamed: true }).rooms,
      code: endpoint.code,
      create: accessOf(input, endpoint),
      onName: (name) => rememberName(files, name),
      isColourForbidden: input.flags['no-color'] !== undefined,
      env: environment.env,
      input: process.stdin as ReadStream,
      output: process.stdout as WriteStream,
      signal: stop.signal,
    });
    return stop.exitCode ?? exitCode;
  } catch (error) {
    if (stop.exitCode === undefined) throw error;
    return stop.exitCode;
  } finally {
    stop.release();
  }
}
