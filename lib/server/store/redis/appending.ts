import type { NameKey } from '../../../protocol/names.ts';
import type { Appended, Draft } from '../../hub/ports.ts';
import type { Argument } from '../../redis/connection.ts';
import type { RoomKeys } from '../../redis/keys.ts';
import { packMessage } from '../../redis/packed-message.ts';
import { toNumber, unexpected } from './replies.ts';

/** What is the same for all batches of a node. */
export interface Appending {
  readonly nodeId: string;
  readonly keepMessages: number;
  readonly leaseMs: number;
  /** How long the log of a retained room lives after its last message. */
  readonly logMs: number;
}

/** A room as its node knows it. */
export interface KnownRoom {
  readonly room: NameKey;
  readonly keys: RoomKeys;
  readonly incarnation: string;
  /** The newest seq and time that this node knows of. */
  last: number;
  lastTs: number;
}

/** Some drafts of one room that one call of the script stores. */
export class Batch {
  readonly #room: KnownRoom;
  readonly #knownBefore: number;
  readonly #count: number;
  readonly #first: readonly Argument[];
  readonly #last: readonly Argument[];

  /** `number` grows with each batch of the node in the room. */
  constructor(room: KnownRoom, drafts: readonly Draft[], number: number, common: Appending) {
    const { incarnation, keys, last, lastTs } = room;
    const { keepMessages, leaseMs, logMs, nodeId } = common;
    this.#room = room;
    this.#knownBefore = last;
    this.#count = drafts.length;
    this.#first = [incarnation, keepMessages, leaseMs, logMs, nodeId, number];
    const again = drafts.map(({ isAgain }) => (isAgain ? '1' : '0')).join('');
    this.#last = [last, lastTs, keys.channel, again, ...drafts.flatMap((draft) => [draft.ts, packMessage(draft)])];
  }

  arguments(isSentBefore: boolean): readonly Argument[] {
    return [...this.#first, isSentBefore ? 1 : 0, ...this.#last];
  }

  /**
   * What the script answered, for each draft. What was found although it came after all that this node knew of, an earlier
   * sending of this same batch has stored.
   */
  answers(reply: unknown, isSentBefore: boolean): readonly Appended[] {
    const what = `room ${this.#room.room}`;
    if (!Array.isArray(reply) || reply.length !== this.#count * 2) throw unexpected(what);
    const duplicatesUntil = isSentBefore ? this.#knownBefore : Number.POSITIVE_INFINITY;
    const answers: Appended[] = [];
    const seen = new Set<number>();
    for (let i = 0; i < reply.length; i += 2) {
      const place = toNumber(reply[i], what);
      const seq = Math.abs(place);
      const ts = toNumber(reply[i + 1], what);
      answers.push({ seq, ts, isDuplicate: place < 0 && (seq <= duplicatesUntil || seen.has(seq)) });
      seen.add(seq);
      note(this.#room, seq, ts);
    }
    return answers;
  }
}

/** So much is known of the room now. */
export function note(room: KnownRoom, last: number, lastTs: number): void {
  room.last = Math.max(room.last, last);
  room.lastTs = Math.max(room.lastTs, lastTs);
}
