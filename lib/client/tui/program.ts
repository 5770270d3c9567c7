import type { ReadStream, WriteStream } from 'node:tty';
import { type Clock, systemClock } from '../../clock.ts';
import { BcastError, toBcastError } from '../../errors.ts';
import type { Access, MessageId } from '../../protocol/messages.ts';
import { nameKey, type RoomName, type UserName } from '../../protocol/names.ts';
import { type Client, type ConnectOptions, connect, type PasswordSource, type TrustPolicy } from '../client.ts';
import { sayFirstWait } from '../first-wait.ts';
import { createIdMaker } from '../message-id.ts';
import { sanitiseLine } from '../sanitise.ts';
import type { Effect } from './effect.ts';
import { openKeyboard } from './keyboard.ts';
import { perform } from './perform.ts';
import { askName, askPassword, askTrust, Interrupted, type PromptTerminal } from './prompts.ts';
import { type Loop, runLoop } from './screen-loop.ts';
import type { Outcome } from './state.ts';
import { wantsColour } from './theme.ts';
import { openView, type View } from './view.ts';

export interface TuiOptions {
  /** The server and how to reach it. Unless its `trust` has an `ask`, the person at the terminal is asked. */
  readonly connect: Omit<ConnectOptions, 'user' | 'onEvent'>;
  /** The name to go by; null: ask for one. */
  readonly user: UserName | null;
  /** What an empty answer means when a name is asked for. */
  readonly suggestedName: UserName | null;
  /** Entered in this order; the first is on screen. */
  readonly rooms: readonly RoomName[];
  /** Of the locked ones among them; without it the person is asked. */
  readonly code?: string | undefined;
  /** Only make them, so. */
  readonly create?: Access | undefined;
  /** Called with the name whenever it is settled or changes. */
  readonly onName?: (name: UserName) => void;
  /** `--no-color`. */
  readonly isColourForbidden?: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly input: ReadStream;
  readonly output: WriteStream;
  /** Aborted: leave at once. */
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
}

/** How long leaving waits for what was said and is not acknowledged, in milliseconds. */
const DRAIN_TIMEOUT_MS = 2_000;
/** After this long without an answer, in milliseconds, we say that we wait. */
const SLOW_CONNECT_MS = 700;
/** As shells report SIGINT. */
const INTERRUPTED = 130;
/** Between stopping and taking the terminal again: the process stands still in between, however long that lasts. */
const RESUME_MS = 50;
/** Refusals of a name, which another name may cure. */
const NAME_TROUBLES: readonly string[] = [
  'NAME_IN_USE',
  'NAME_INVALID',
  'NAME_REGISTERED',
  'AUTH_REQUIRED',
  'TOO_MANY_SESSIONS',
];

/**
 * Talks full screen until the person leaves: asks for what is missing (a name, whether the server is the right one),
 * connects, and takes the terminal over. Resolves to the exit code: 0, or 130 after Ctrl-C at a question. Throws the
 * BcastError that ended it, when the terminal is as it was again, so that the caller can say it in one line.
 */
export async function runTui(options: TuiOptions): Promise<number> {
  const client = await connectAsking(options).catch((thrown: unknown) => {
    if (isInterruption(thrown)) return null;
    throw thrown;
  });
  if (client === null) return INTERRUPTED;
  const noteName = (name: UserName): void => options.onName?.(name);
  noteName(client.name);
  try {
    const { error } = await runScreen(client, options, noteName);
    if (error !== null) throw error;
    const lost = await drain(client, options.clock ?? systemClock);
    if (lost > 0)
      throw new BcastError('CONNECTION_LOST', {
        text: lost === 1 ? 'One message was not sent.' : `${lost} messages were not sent.`,
      });
    return 0;
  } finally {
    await client.close();
  }
}

/**
 * Waits a little until all that was said is acknowledged; resolves to how much is not. Who leaves while there is no
 * connection does not want to wait for one.
 */
async function drain(client: Client, clock: Clock): Promise<number> {
  const done = Promise.withResolvers<void>();
  const check = (): void => {
    if (client.unacknowledged === 0 || client.status.state !== 'online') done.resolve();
  };
  const timer = clock.after(DRAIN_TIMEOUT_MS, done.resolve);
  const unsubscribe = client.subscribe(check);
  check();
  await done.promise;
  timer.cancel();
  unsubscribe();
  return client.unacknowledged;
}

/** Thrown by a question as it is, or wrapped by the client whose connection waited for the answer. */
function isInterruption(thrown: unknown): boolean {
  return thrown instanceof Interrupted || (thrown instanceof Error && thrown.cause instanceof Interrupted);
}

/** Connects; while the name is the trouble, asks for another. */
async function connectAsking(options: TuiOptions): Promise<Client> {
  const terminal: PromptTerminal = options;
  const ask = options.connect.trust?.ask ?? ((address, fingerprint) => askTrust(terminal, address, fingerprint));
  let user = options.user ?? (await askName(terminal, options.suggestedName));
  for (;;) {
    const stopWaiting = sayIfSlow(options);
    const name = user;
    const askAgain: PasswordSource = (refusal) => {
      stopWaiting();
      return askPassword(terminal, name, refusal);
    };
    const trust: TrustPolicy = {
      ...options.connect.trust,
      ask(address, fingerprint) {
        stopWaiting();
        return ask(address, fingerprint);
      },
    };
    const onFirstWait = sayFirstWait((text) => {
      stopWaiting();
      options.output.write(`${text}\n`);
    });
    const password = options.connect.password ?? askAgain;
    try {
      return await connect({ ...options.connect, trust, password, user, onFirstWait });
    } catch (thrown) {
      stopWaiting();
      const error = toBcastError(thrown);
      if (!NAME_TROUBLES.includes(error.code)) throw error;
      options.output.write(`${user}: ${sanitiseLine(error.message)}\n`);
      user = await askName(terminal, null);
    } finally {
      stopWaiting();
    }
  }
}

/** Says what is being waited for when it takes long; returns what takes the line away again. */
function sayIfSlow({ output, clock = systemClock }: TuiOptions): () => void {
  let isShown = false;
  const timer = clock.after(SLOW_CONNECT_MS, () => {
    isShown = true;
    output.write('Connecting…');
  });
  return () => {
    timer.cancel();
    if (isShown) output.write('\r\x1b[K');
    isShown = false;
  };
}

/** Takes the terminal over until all is said; gives it back whatever happens. */
async function runScreen(client: Client, options: TuiOptions, noteName: (name: UserName) => void): Promise<Outcome> {
  const { input, output, env, clock = systemClock, signal } = options;
  const ended = Promise.withResolvers<Outcome>();
  const view = openView(output, wantsColour(env, options.isColourForbidden === true));
  const end = (): void => ended.resolve({ error: null });
  const crash = (thrown: unknown): void => ended.reject(new BcastError('INTERNAL', { text: CRASHED, cause: thrown }));
  const effects: { run: (effect: Effect) => void } = { run: () => undefined };
  const loop = runLoop({
    view,
    clock,
    start: { columns: output.columns, rows: output.rows, me: client.name, joining: options.rooms },
    onEffect: (effect) => effects.run(effect),
    onEnd: ended.resolve,
    onCrash: crash,
  });
  const keyboard = openKeyboard(input, clock, loop.dispatch, end);
  const takeAgain = (): void => {
    keyboard.open();
    view.enter();
    loop.dispatch({ type: 'resize', columns: output.columns, rows: output.rows });
    loop.repaint();
  };
  const suspend = (): void => {
    // Windows has no such thing.
    if (process.platform === 'win32') return;
    keyboard.close();
    view.leave();
    // The whole group, as the terminal would: the shell watches the launcher, not us.
    process.kill(0, 'SIGTSTP');
    clock.after(RESUME_MS, takeAgain);
  };
  const newId = createIdMaker(clock);
  effects.run = (effect) => runEffect(effect, { client, newId, loop, view, suspend, end });
  const onResize = (): void => loop.dispatch({ type: 'resize', columns: output.columns, rows: output.rows });
  output.on('resize', onResize);
  signal?.addEventListener('abort', end, { once: true });
  process.once('SIGHUP', end);
  process.on('uncaughtException', crash);
  const unsubscribe = client.subscribe((event) => {
    loop.dispatch({ type: 'client', event });
    if (event.type === 'renamed') noteName(event.name);
  });
  const { code = null, create = null } = options;
  for (const room of options.rooms) {
    const ask = { what: 'join', room, isToFront: false, code, create } as const;
    effects.run({ type: 'ask', ask, window: `room ${nameKey(room)}` });
  }
  try {
    return await ended.promise;
  } finally {
    unsubscribe();
    loop.stop();
    keyboard.close();
    view.close();
    output.off('resize', onResize);
    signal?.removeEventListener('abort', end);
    process.off('SIGHUP', end);
    process.off('uncaughtException', crash);
  }
}

const CRASHED = 'This program failed; please report it with what follows.';

interface Hands {
  readonly client: Client;
  readonly newId: () => MessageId;
  readonly loop: Loop;
  readonly view: View;
  readonly suspend: () => void;
  readonly end: () => void;
}

function runEffect(effect: Effect, { client, newId, loop, view, suspend, end }: Hands): void {
  switch (effect.type) {
    case 'bell':
      view.bell();
      return;
    case 'redraw':
      loop.repaint();
      return;
    case 'suspend':
      suspend();
      return;
    case 'quit':
      end();
      return;
    default:
      perform(effect, { port: client, newId, dispatch: loop.dispatch });
  }
}
