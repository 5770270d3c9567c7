import type { Readable } from 'node:stream';
import { BcastError, toBcastError } from '../../errors.ts';
import { type Destination, delimiterOf, type InputForm, maxPieceBytes, readOutgoing } from './outgoing.ts';
import type { Send } from './sender.ts';
import { createSplitter, type Piece } from './split.ts';
import type { Window } from './window.ts';

export interface InputOptions {
  readonly form: InputForm;
  readonly destination: Destination;
  readonly keepEmpty: boolean;
  readonly maxBodyBytes: number;
  readonly window: Window;
  readonly send: Send;
  readonly onRejected: (label: string, error: BcastError) => void;
  /** Stops the reading; what was read before is still sent. */
  readonly stopReading: AbortSignal;
  /** Stops everything. */
  readonly abandon: AbortSignal;
}

/**
 * Sends what comes from `source`, reading on only while the window has room. Resolves at its end, or after `stopReading`
 * when what was read has been sent. Rejects with INPUT_FAILED when the source fails.
 */
export async function sendInput(source: Readable, options: InputOptions): Promise<void> {
  const stop = AbortSignal.any([options.stopReading, options.abandon]);
  if (stop.aborted) return;
  const close = () => source.destroy();
  stop.addEventListener('abort', close, { once: true });
  try {
    await sendPieces(source, options, stop);
  } catch (error) {
    // Destroying a stream ends its iteration with an error.
    if (stop.aborted) return;
    throw new BcastError('INPUT_FAILED', { text: `stdin cannot be read: ${(error as Error).message}`, cause: error });
  } finally {
    stop.removeEventListener('abort', close);
  }
}

async function sendPieces(source: Readable, options: InputOptions, stop: AbortSignal): Promise<void> {
  const { form, maxBodyBytes } = options;
  const splitter = createSplitter(delimiterOf(form), maxPieceBytes(form, maxBodyBytes));
  for await (const chunk of source) {
    for (const piece of splitter.push(chunk as Uint8Array)) {
      const full = sendPiece(piece, options);
      // Awaited only when there is something to wait for: what is said in one turn goes out as one record.
      if (full !== undefined) await full;
    }
    if (stop.aborted) return;
    // One message that is refused however it goes on; its producer need not go on.
    if (form === 'whole' && splitter.isTooLong) break;
  }
  for (const piece of splitter.end()) await sendPiece(piece, options);
}

function sendPiece(piece: Piece, options: InputOptions): Promise<void> | undefined {
  const room = options.window.room();
  if (room !== undefined) return room.then(() => sendPiece(piece, options));
  if (!options.abandon.aborted) sendNow(piece, options);
  return undefined;
}

function sendNow(piece: Piece, options: InputOptions): void {
  const { form, send, onRejected } = options;
  const label = labelOf(form, piece);
  try {
    const outgoing = readOutgoing(piece, options);
    if (outgoing !== null) send(outgoing, label);
  } catch (error) {
    onRejected(label, toBcastError(error));
  }
}

function labelOf(form: InputForm, { number }: Piece): string {
  switch (form) {
    case 'whole':
      return 'the input';
    case 'null':
      return `record ${number}`;
    case 'lines':
    case 'ndjson':
      return `line ${number}`;
  }
}
