import type { MessageId } from '../../protocol/messages.ts';
import type { Client } from '../client.ts';
import type { ClientEvent } from '../events.ts';
import { formatMessage, formatNotice, type Message, noticesOf } from './format.ts';
import type { PipeOutput } from './options.ts';
import type { Output } from './output.ts';

export interface ReceiverOptions {
  readonly form: PipeOutput['form'];
  readonly events: boolean;
  readonly output: Output;
  readonly nowMs: () => number;
  /** After each message written; false ends the writing. */
  readonly onWritten: () => boolean;
  /** Of the backlog only so many of the newest are shown. */
  readonly lastOfBacklog: number | undefined;
  /** Of the backlog only what comes before this message is shown, and the writing is over when it comes. */
  readonly beforeSeq: number | undefined;
}

export interface Receiver {
  /** A message that this process is about to send, and that is not to be written when it comes back. */
  leaveOut(id: MessageId): void;
  /** Resolves when the client has ended, or `onWritten` said so. */
  readonly done: Promise<void>;
  /** Resolves when everything told so far has been written. Called once, after the rooms are joined. */
  backlogTold(): Promise<void>;
}

/**
 * Writes what a client tells, at the pace of stdout. What this process said itself is left out: a bot that reads what it
 * writes would answer itself for ever.
 */
export function createReceiver(
  client: AsyncIterable<ClientEvent> & Pick<Client, 'subscribe'>,
  options: ReceiverOptions,
): Receiver {
  const { form, events, output, nowMs, onWritten, lastOfBacklog, beforeSeq = Infinity } = options;
  const own = new Set<MessageId>();
  const iterator = client[Symbol.asyncIterator]();
  // The iterator has to be asked before anybody subscribes: what is told without a reader is not kept for one.
  const firstEvent = iterator.next();
  let lastTold: ClientEvent | undefined;
  let lastTaken: ClientEvent | undefined;
  client.subscribe((event) => {
    lastTold = event;
  });
  let held: Message[] | undefined = lastOfBacklog === undefined ? undefined : [];
  /** The backlog is being written while the loop waits for the next event, which must not be written in between. */
  let releasing: Promise<boolean> | undefined;
  let mark: { readonly event: ClientEvent; readonly reached: () => void } | undefined;

  async function write(message: Message): Promise<boolean> {
    const wait = output.write(formatMessage(form, message));
    if (wait !== undefined) await wait;
    return onWritten();
  }

  async function writeHeld(): Promise<boolean> {
    const messages = held ?? [];
    held = undefined;
    for (const message of messages) if (!(await write(message))) return false;
    return true;
  }

  async function takeMessage(message: Message): Promise<boolean> {
    if (own.delete(message.id)) return true;
    const isBacklog = message.type === 'message' && message.isHistory;
    if (isBacklog && message.seq >= beforeSeq) {
      await writeHeld();
      return false;
    }
    if (held === undefined || !isBacklog) return write(message);
    held.push(message);
    if (held.length > (lastOfBacklog ?? 0)) held.shift();
    return true;
  }

  /** False when the writing is over. */
  async function take(event: ClientEvent): Promise<boolean> {
    if (event.type === 'message' || event.type === 'private' || event.type === 'published') return takeMessage(event);
    if (!events) return true;
    for (const notice of noticesOf(event, nowMs())) {
      const wait = output.write(formatNotice(form, notice));
      if (wait !== undefined) await wait;
    }
    return true;
  }

  async function run(): Promise<void> {
    for (let next = await firstEvent; next.done !== true; next = await iterator.next()) {
      if (releasing !== undefined && !(await releasing)) return;
      if (!(await take(next.value))) return;
      lastTaken = next.value;
      if (mark?.event !== lastTaken) continue;
      if (!(await writeHeld())) return;
      mark.reached();
    }
  }

  return {
    leaveOut: (id) => void own.add(id),
    done: run(),
    async backlogTold() {
      const event = lastTold;
      if (event === undefined || event === lastTaken) {
        releasing = writeHeld();
        await releasing;
        return;
      }
      await new Promise<void>((reached) => {
        mark = { event, reached };
      });
    },
  };
}
