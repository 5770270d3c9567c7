import { type BcastError, ERRORS, toBcastError } from '../../errors.ts';
import type { MessageId } from '../../protocol/messages.ts';
import type { RoomName } from '../../protocol/names.ts';
import type { Client } from '../client.ts';
import type { Receipt } from '../events.ts';
import type { Outgoing } from './outgoing.ts';
import type { Window } from './window.ts';

export interface SenderOptions {
  readonly client: Pick<Client, 'say' | 'tell' | 'publish'>;
  /** The rooms that are joined already. */
  readonly rooms: readonly RoomName[];
  /** Enters another one, only to speak there. */
  readonly join: (room: RoomName) => Promise<unknown>;
  readonly window: Window;
  readonly newId: () => MessageId;
  /** Just before a message to a room is handed to the client. */
  readonly onSaying: (id: MessageId) => void;
  /** Its message leaves the window when what this returns has settled. */
  readonly onReceipt: (receipt: Receipt) => Promise<void> | undefined;
  /** This one message was refused; others may fare better. */
  readonly onRejected: (label: string, error: BcastError) => void;
  /** Nothing more can be sent. */
  readonly onFailed: (error: BcastError) => void;
}

/** Sends one message, counting it in the window until it is settled. `label` is what people call it: `line 7`. */
export type Send = (outgoing: Outgoing, label: string) => void;

export function createSender(options: SenderOptions): Send {
  const { client, rooms, join, window, newId, onSaying, onReceipt, onRejected, onFailed } = options;
  /** A line of `--ndjson` may name any room; each is joined when it is first named. */
  const joined = new Map<RoomName, Promise<unknown> | undefined>(rooms.map((room) => [room, undefined]));

  async function post({ destination, body, id: given, kind = 'text' }: Outgoing): Promise<Receipt> {
    const id = given ?? newId();
    // Whoever brings ids of their own may have sent them in an earlier run.
    if (destination === 'followers') return client.publish(body, { id, kind });
    if ('to' in destination) return client.tell(destination.to, body, { id, kind });
    const { room } = destination;
    if (!joined.has(room)) joined.set(room, join(room));
    const joining = joined.get(room);
    if (joining !== undefined) {
      await joining;
      joined.set(room, undefined);
    }
    onSaying(id);
    return client.say(room, body, { id, kind, again: given !== undefined });
  }

  async function settle(outgoing: Outgoing, label: string): Promise<void> {
    try {
      await onReceipt(await post(outgoing));
    } catch (thrown) {
      const error = toBcastError(thrown);
      // What was under way when the client was closed is counted as not acknowledged by whoever closed it.
      if (error.code === 'CLOSED') return;
      if (isForAll(error)) {
        onFailed(error);
        return;
      }
      onRejected(label, error);
    }
    window.remove(outgoing.bodyBytes);
  }

  return (outgoing, label) => {
    window.add(outgoing.bodyBytes);
    void settle(outgoing, label);
  };
}

/** A refusal that every later message would meet too: the connection's own end, or being put out of the room. */
function isForAll({ code, exit }: BcastError): boolean {
  return ERRORS[code].close || exit === 7;
}
