import type { Readable, Writable } from 'node:stream';
import type { Clock } from '../../clock.ts';
import { BcastError, toBcastError } from '../../errors.ts';

import type { Events } from '../../protocol/messages.ts';
import type { Client } from '../client.ts';
import { sayFirstWait } from '../first-wait.ts';
import { createIdMaker } from '../message-id.ts';
import { sanitiseLine } from '../sanitise.ts';
import { createEndingSwitch, type Ending, type EndingSwitch, watchSilence } from './ending.ts';
import { type AskCode, joinRooms } from './enter.ts';
import { formatReceipt } from './format.ts';
import { sendInput } from './input.ts';
import type { PipeOptions } from './options.ts';
import { readOutgoing } from './outgoing.ts';
import { createOutput, type Output } from './output.ts';
import { createReceiver, type Receiver } from './receiver.ts';
import { type PipeSearch, writeFound } from './search.ts';
import { createSender, type Send } from './sender.ts';
import { heed, noteUnlessQuiet, type Progress, summarise } from './watch.ts';
import { createWindow, type Window } from './window.ts';

/**
 * What may be on its way without an acknowledgement; measured: docs/PIPE.md says how. Small enough that the rest of it is
 * acknowledged within the drain time by a server that takes a hundred messages a second.
 */
const WINDOW = { messages: 1_024, bytes: 262_144 } as const;
/** After a signal, acknowledgements and a slow reader are waited for only so long. */
const PATIENCE_AFTER_SIGNAL_MS = 2_000;

export interface PipeStreams {
  /** Called only when stdin is to be read at all. */
  readonly openStdin: () => Readable;
  readonly stdout: Writable;
  /** Writes one line for people. */
  readonly note: (line: string) => void;
}

export interface PipeRun {
  readonly options: PipeOptions;
  readonly streams: PipeStreams;
  readonly clock: Clock;
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
  /** Asks the person for the code of a locked room; null when there is none. Absent where nobody can be asked. */
  readonly askCode?: AskCode | undefined;
  /** Connects; line mode begins with it, so that --timeout counts it in. */
  readonly connect: (onFirstWait: (error: BcastError) => void) => Promise<Client>;
}

export interface PipeResult {
  /** 0, 9, 10 or 11; what a signal means is the caller's to know. */
  readonly exitCode: number;
  /** False when an attempt to connect or a stalled reader was left behind, which may keep the process alive. */
  readonly isSettled: boolean;
}

/** Runs line mode from connecting to the last flush. Rejects with the BcastError that ended it. */
export async function runPipe(run: PipeRun): Promise<PipeResult> {
  const ending = createEndingSwitch();
  const { options, clock, signal } = run;
  const timer =
    options.timeoutMs === undefined ? undefined : clock.after(options.timeoutMs, () => ending.end({ why: 'timeout' }));
  const onSignal = () => ending.end({ why: 'signal' });
  signal.addEventListener('abort', onSignal, { once: true });
  if (signal.aborted) onSignal();
  try {
    const connecting = run.connect(sayFirstWait(noteUnlessQuiet(run)));
    const client = await Promise.race([connecting, ending.first.then(() => undefined)]);
    if (client === undefined) {
      connecting.then((late) => late.close()).catch(() => undefined);
      return { exitCode: exitCodeOf(ending.current, 0, 0), isSettled: false };
    }
    return await talk(client, run, ending);
  } finally {
    timer?.cancel();
    signal.removeEventListener('abort', onSignal);
  }
}

/** What one run is made of, once connected. */
interface Talk extends PipeRun {
  readonly client: Client;
  readonly ending: EndingSwitch;
  readonly output: Output;
  readonly receiver: Receiver | undefined;
  readonly window: Window;
  readonly send: Send;
  readonly progress: Progress;
  readonly reject: (label: string, error: BcastError) => void;
}

async function talk(client: Client, run: PipeRun, ending: EndingSwitch): Promise<PipeResult> {
  const { options, clock } = run;
  const state = assemble(client, run, ending);
  const silence =
    options.idleMs === undefined ? undefined : watchSilence(clock, options.idleMs, () => ending.end({ why: 'idle' }));
  client.subscribe((event) => heed(event, state, silence));
  const stopReading = new AbortController();
  const abandon = new AbortController();
  const fail = (error: unknown) => ending.end({ why: 'failed', error: toBcastError(error) });
  let input = Promise.resolve();
  enter(state)
    .then(() => {
      input = sendAll(state, stopReading.signal, abandon.signal).catch(fail);
    })
    .catch(fail);
  const final = await ending.first;
  silence?.cancel();
  stopReading.abort();
  const isOrderly = final.why !== 'timeout' && final.why !== 'failed' && final.why !== 'signal';
  if (!isOrderly) abandon.abort();
  const patienceMs =
    final.why === 'signal' ? Math.min(PATIENCE_AFTER_SIGNAL_MS, options.drainTimeoutMs) : options.drainTimeoutMs;
  if (isOrderly) await drain(state, input, patienceMs);
  else if (final.why === 'signal') await drain(state, Promise.resolve(), patienceMs);
  abandon.abort();
  const unacknowledged = state.window.messages;
  await client.close();
  const isFlushed = await finishOutput(state, final);
  summarise(state, final, unacknowledged);
  if (final.why === 'failed') throw final.error;
  return { exitCode: exitCodeOf(final, unacknowledged, state.progress.rejected), isSettled: isFlushed };
}

function assemble(client: Client, run: PipeRun, ending: EndingSwitch): Talk {
  const { options, streams, clock } = run;
  const fail = (error: BcastError) => ending.end({ why: 'failed', error });
  const output = createOutput(streams.stdout, (cause) =>
    fail(new BcastError('OUTPUT_FAILED', { text: `stdout cannot be written: ${cause.message}`, cause })),
  );
  // Whoever only sends goes on without a reader for the receipts; the lines still have to arrive.
  if (options.output !== null || options.search !== null)
    output.gone.addEventListener('abort', () => ending.end({ why: 'gone' }));
  const window = createWindow(WINDOW.messages, WINDOW.bytes);
  const progress: Progress = { lastMs: clock.monotonicMs(), rejected: 0, wasOnline: false, isStorageOut: false };
  const reject = (label: string, error: BcastError) => {
    progress.rejected += 1;
    streams.note(
      `${label} ${error.code === 'LINES_REJECTED' ? error.message : `was refused: ${sanitiseLine(error.message)}`}`,
    );
  };
  const receiver = options.output === null ? undefined : receive(client, options, output, run, ending);
  const send = createSender({
    client,
    rooms: options.rooms,
    join: (room) => client.join(room, { marks: false }),
    window,
    newId: createIdMaker(clock),
    onSaying: (id) => receiver?.leaveOut(id),
    onReceipt: (receipt) => {
      progress.lastMs = clock.monotonicMs();
      return options.receipts ? output.write(formatReceipt(receipt)) : undefined;
    },
    onRejected: reject,
    onFailed: fail,
  });
  return { ...run, client, ending, output, receiver, window, send, progress, reject };
}

function receive(client: Client, options: PipeOptions, output: Output, run: PipeRun, ending: EndingSwitch): Receiver {
  const { form, events, backlog } = options.output as NonNullable<PipeOptions['output']>;
  let written = 0;
  return createReceiver(client, {
    form,
    events,
    output,
    nowMs: () => run.clock.nowMs(),
    lastOfBacklog: backlog?.last,
    beforeSeq: backlog?.beforeSeq,
    onWritten: () => {
      written += 1;
      if (written === options.count) ending.end({ why: 'count' });
      return ending.current?.why !== 'count';
    },
  });
}

/** Joins the rooms and tells what was said there before. */
async function enter(state: Talk): Promise<void> {
  const { options, ending, receiver, client, askCode, clock } = state;
  const banners = await joinRooms(options, {
    client,
    askCode,
    nowMs: clock.nowMs(),
    isOver: () => ending.current !== undefined,
  });
  if (options.search !== null) await look(state, options.search, banners);
  else if (options.output?.follow === false) {
    await Promise.race([receiver?.backlogTold(), receiver?.done]);
    ending.end({ why: 'told' });
  } else if (options.output?.backlog?.last !== undefined) await receiver?.backlogTold();
}

async function look(state: Talk, search: PipeSearch, [banner]: readonly Events['joined'][]): Promise<void> {
  const { client, output, ending, options, streams } = state;
  // Cut off before it was in: the signal or the time that did it is an ending already.
  if (banner === undefined) throw new BcastError('CONNECTION_LOST');
  const reach = await writeFound(search, client, banner, output);
  if (!options.isQuiet) streams.note(reach);
  ending.end({ why: 'told' });
}

/** Sends what there is to send, and ends the run when that was all it was for. */
async function sendAll(state: Talk, stopReading: AbortSignal, abandon: AbortSignal): Promise<void> {
  const { options, ending } = state;
  if (options.input === null) return;
  if ('message' in options.input) sendMessage(state, options.input.message);
  else await sendStdin(state, options.input.form, stopReading, abandon);
  const stays = 'form' in options.input && options.input.stay;
  if (!stays) ending.end({ why: 'input' });
}

function sendMessage({ options, client, send, reject }: Talk, message: string): void {
  const { destination, keepEmpty } = options;
  const bytes = new TextEncoder().encode(message);
  try {
    const form = 'null';
    const outgoing = readOutgoing(
      { number: 1, bytes },
      { form, destination, keepEmpty, maxBodyBytes: client.maxBodyBytes },
    );
    if (outgoing !== null) send(outgoing, 'the message');
  } catch (error) {
    reject('the message', toBcastError(error));
  }
}

async function sendStdin(
  state: Talk,
  form: 'lines' | 'whole' | 'null' | 'ndjson',
  stopReading: AbortSignal,
  abandon: AbortSignal,
) {
  const { options, client, window, send, reject, streams } = state;
  const { destination, keepEmpty } = options;
  const common = { form, destination, keepEmpty, maxBodyBytes: client.maxBodyBytes, window, send };
  await sendInput(streams.openStdin(), { ...common, onRejected: reject, stopReading, abandon });
}

/** Waits for everything read to be sent and acknowledged, as long as acknowledgements keep coming. */
async function drain({ window, progress, clock }: Talk, input: Promise<void>, patienceMs: number): Promise<void> {
  progress.lastMs = Math.max(progress.lastMs, clock.monotonicMs());
  const over = Promise.withResolvers<void>();
  let timer = clock.after(patienceMs, check);
  function check(): void {
    const restMs = progress.lastMs + patienceMs - clock.monotonicMs();
    if (restMs > 0) timer = clock.after(restMs, check);
    else over.resolve();
  }
  await Promise.race([input.then(() => window.empty()), over.promise]);
  timer.cancel();
}

/** False when the reader of stdout is stalled and nobody wants to wait for it any more. */
async function finishOutput({ receiver, output, clock }: Talk, { why }: Ending): Promise<boolean> {
  const finished = Promise.all([why === 'count' ? undefined : receiver?.done]).then(() => output.flush());
  if (why !== 'signal') {
    await finished;
    return true;
  }
  const stalled = new Promise<false>((resolve) => {
    clock.after(PATIENCE_AFTER_SIGNAL_MS, () => resolve(false));
  });
  return Promise.race([finished.then(() => true), stalled]);
}

function exitCodeOf(ending: Ending | undefined, unacknowledged: number, rejected: number): number {
  if (ending?.why === 'timeout') return 10;
  if (unacknowledged > 0) return 9;
  return rejected > 0 ? 11 : 0;
}
