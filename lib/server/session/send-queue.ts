import { MAX_RECORD_PLAINTEXT_BYTES } from '../../limits.ts';
import { encodeEvent } from '../../protocol/codec.ts';
import type { RoomName } from '../../protocol/names.ts';
import type { Channel } from '../../wire/channel.ts';
import type { Transport } from '../../wire/transport/transport.ts';

/** How much may lie sealed in the transport before the queue holds back: a few records, so that the pipe never runs dry. */
const MAX_SEALED_BYTES = 4 * MAX_RECORD_PLAINTEXT_BYTES;

/** A transport that holds less than this may not tell when it has drained (a socket's high water mark). */
const QUIET_BYTES = 65_536;

/** Never added to: an empty array of each queue's own would soon have room for seventeen parts, and most turns bring one. */
const NO_PARTS: Uint8Array[] = [];

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
  readonly #onFlushed: () => void;
  #parts = NO_PARTS;
  #bytes = 0;
  /** Messages in `parts`; when a piece is cut off, those it holds are reckoned by its share of the bytes. */
  #count = 0;
  #isListed = false;
  #lagged: Map<RoomName, number> | undefined;

  /** `onFlushed` is called after each flush, when what does not fit into the transport is all that is left. */
  constructor(
    channel: Channel,
    transport: Transport,
    limits: SendQueueLimits,
    flushList: FlushList,
    onFlushed: () => void,
  ) {
    this.#channel = channel;
    this.#transport = transport;
    this.#limits = limits;
    this.#flushList = flushList;
    this.#onFlushed = onFlushed;
  }

  /** Queued and sealed bytes that the other end's kernel has not taken. */
  get pendingBytes(): number {
    return this.#bytes + this.#transport.bufferedBytes;
  }

  get isOverfull(): boolean {
    return this.pendingBytes > this.#limits.sendQueueBytes || this.#count > this.#limits.sendQueueMessages;
  }

  /** Whether it is overfull with what the transport does not take; what it would take is given to it before the answer. */
  get isFull(): boolean {
    if (this.isOverfull && this.#channel.isOpen) this.#sealWhatFits();
    return this.isOverfull;
  }

  /** Whether all that was queued is in the transport. */
  get isEmpty(): boolean {
    return this.#bytes === 0;
  }

  send(bytes: Uint8Array, count: number): void {
    this.#add(bytes);
    this.#count += count;
    if (this.#isListed) return;
    this.#isListed = true;
    this.#flushList.add(this);
  }

  sendRoom(room: RoomName, bytes: Uint8Array, count: number): void {
    if (this.#lagged !== undefined || (this.#bytes > 0 && this.isFull)) this.#leaveOut(room, count);
    else this.send(bytes, count);
  }

  /** Sends one message after which nothing may come. What was left out is not told: whoever comes back asks for it. */
  sendLast(bytes: Uint8Array): void {
    this.#lagged = undefined;
    this.send(bytes, 1);
  }

  /** Seals and writes what the transport will take; called at the end of a turn and when the transport has drained. */
  flush(): void {
    this.#isListed = false;
    if (!this.#channel.isOpen) return;
    this.#sealWhatFits();
    if (this.#lagged !== undefined && this.#hasRoom) {
      this.#tellLagged(this.#lagged);
      this.#sealWhatFits();
    }
    this.#onFlushed();
  }

  #sealWhatFits(): void {
    while (this.#bytes > 0 && this.#transport.bufferedBytes < MAX_SEALED_BYTES) this.#sealSome();
  }

  #sealSome(): void {
    const parts = this.#parts;
    if (this.#bytes <= MAX_SEALED_BYTES) {
      this.#parts = NO_PARTS;
      this.#bytes = 0;
      this.#count = 0;
      this.#channel.sealMessages(parts);
      return;
    }
    this.#count *= 1 - MAX_SEALED_BYTES / this.#bytes;
    this.#bytes -= MAX_SEALED_BYTES;
    this.#channel.sealMessages(cutOff(parts, MAX_SEALED_BYTES));
  }

  #leaveOut(room: RoomName, count: number): void {
    this.#lagged ??= new Map();
    this.#lagged.set(room, (this.#lagged.get(room) ?? 0) + count);
  }

  /** Whether half of the queue is free again, or as much as a drain will still be told of. */
  get #hasRoom(): boolean {
    const { sendQueueBytes, sendQueueMessages } = this.#limits;
    return this.pendingBytes <= Math.max(sendQueueBytes / 2, QUIET_BYTES) && this.#count <= sendQueueMessages / 2;
  }

  /** The rooms go on, and the client is told to fetch what it missed. */
  #tellLagged(lagged: ReadonlyMap<RoomName, number>): void {
    this.#lagged = undefined;
    for (const [room, dropped] of lagged) {
      this.#add(encodeEvent({ type: 'lagged', room, dropped }));
    }
  }

  #add(bytes: Uint8Array): void {
    if (this.#bytes === 0) this.#parts = [bytes];
    else this.#parts.push(bytes);
    this.#bytes += bytes.length;
  }
}

/** Takes exactly `bytes` bytes from the front of `parts`, which hold more: a part may be longer than any record. */
function cutOff(parts: Uint8Array[], bytes: number): Uint8Array[] {
  let taken = 0;
  let left = bytes;
  for (let size = parts[0]?.length ?? left; size <= left; size = parts[taken]?.length ?? left + 1) {
    left -= size;
    taken += 1;
  }
  const front = parts.splice(0, taken);
  const [first] = parts;
  if (left > 0 && first !== undefined) {
    front.push(first.subarray(0, left));
    parts[0] = first.subarray(left);
  }
  return front;
}
