import { MAX_RECORD_PLAINTEXT_BYTES } from '../../limits.ts';
import { encodeEvent } from '../../protocol/codec.ts';
import type { RoomName } from '../../protocol/names.ts';
import type { Channel } from '../../wire/channel.ts';
import type { Transport } from '../../wire/transport/transport.ts';

/** How much may lie sealed in the transport before the queue holds back: a few records, so that the pipe never runs dry. */
const MAX_SEALED_BYTES = 4 * MAX_RECORD_PLAINTEXT_BYTES;

export interface SendQueueLimits {
  readonly sendQueueBytes: number;
  readonly sendQueueMessages: number;
}

/** The queues that have something to send at the end of this turn. */
export class FlushList {
  #queues: SendQueue[] = [];
  #isScheduled = false;
  readonly #atEnd: (callback: () => void) => void;

  constructor(atEnd: (callback: () => void) => void) {
    this.#atEnd = atEnd;
  }

  add(queue: SendQueue): void {
    this.#queues.push(queue);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#atEnd(() => this.flush());
  }

  flush(): void {
    this.#isScheduled = false;
    const queues = this.#queues;
    this.#queues = [];
    for (const queue of queues) queue.flush();
  }
}

/**
 * What waits for one session. Everything queued in a turn leaves as one record and one write. The queue holds shared
 * memory and seals only what the transport will take soon, so a slow reader of a busy room costs references, not copies.
 * Past its bounds it leaves room messages out and says so when it has emptied; answers are never left out.
 */
export class SendQueue {
  readonly #channel: Channel;
  readonly #transport: Transport;
  readonly #limits: SendQueueLimits;
  readonly #flushList: FlushList;
  #parts: Uint8Array[] = [];
  #bytes = 0;
  #count = 0;
  #isListed = false;
  #lagged: Map<RoomName, number> | undefined;

  constructor(channel: Channel, transport: Transport, limits: SendQueueLimits, flushList: FlushList) {
    this.#channel = channel;
    this.#transport = transport;
    this.#limits = limits;
    this.#flushList = flushList;
  }

  /** Queued and sealed bytes that the other end's kernel has not taken. */
  get pendingBytes(): number {
    return this.#bytes + this.#transport.bufferedBytes;
  }

  get isOverfull(): boolean {
    return this.pendingBytes > this.#limits.sendQueueBytes || this.#count > this.#limits.sendQueueMessages;
  }

  send(bytes: Uint8Array, count: number): void {
    this.#parts.push(bytes);
    this.#bytes += bytes.length;
    this.#count += count;
    if (this.#isListed) return;
    this.#isListed = true;
    this.#flushList.add(this);
  }

  sendRoom(room: RoomName, bytes: Uint8Array, count: number): void {
    if (this.#lagged !== undefined || (this.#bytes > 0 && this.isOverfull)) this.#leaveOut(room, count);
    else this.send(bytes, count);
  }

  /** Seals and writes what the transport will take; called at the end of a turn and when the transport has drained. */
  flush(): void {
    this.#isListed = false;
    if (!this.#channel.isOpen) return;
    this.#tellLagged();
    while (this.#parts.length > 0 && this.#transport.bufferedBytes < MAX_SEALED_BYTES) this.#sealSome();
  }

  #sealSome(): void {
    if (this.#bytes <= MAX_SEALED_BYTES) {
      const parts = this.#parts;
      this.#parts = [];
      this.#bytes = 0;
      this.#count = 0;
      this.#channel.sealMessages(parts);
      return;
    }
    let taken = 0;
    let bytes = 0;
    while (taken < this.#parts.length && bytes < MAX_SEALED_BYTES) bytes += this.#parts[taken++]?.length ?? 0;
    this.#channel.sealMessages(this.#parts.splice(0, taken));
    this.#bytes -= bytes;
    if (this.#parts.length === 0) this.#count = 0;
  }

  #leaveOut(room: RoomName, count: number): void {
    this.#lagged ??= new Map();
    this.#lagged.set(room, (this.#lagged.get(room) ?? 0) + count);
  }

  /** Once half of the queue is free again the rooms go on, and the client is told to fetch what it missed. */
  #tellLagged(): void {
    if (this.#lagged === undefined || this.pendingBytes > this.#limits.sendQueueBytes / 2) return;
    const lagged = this.#lagged;
    this.#lagged = undefined;
    for (const [room, dropped] of lagged) {
      const bytes = encodeEvent({ type: 'lagged', room, dropped });
      this.#parts.push(bytes);
      this.#bytes += bytes.length;
    }
  }
}
