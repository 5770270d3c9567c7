import { BcastError } from '../../errors.ts';
import type { Transport, TransportHandler } from './transport.ts';

const DEFAULT_HIGH_WATER_MARK_BYTES = 65_536;

export interface MemoryPairOptions {
  /** Runs a callback later, never at once, in order; `queueMicrotask` by default. */
  readonly schedule?: (callback: () => void) => void;
  /** How chunks are cut on their way: at most so many bytes each. */
  readonly maxChunkBytes?: number;
  /** `write` says false from so many waiting bytes on; 65,536 by default. */
  readonly highWaterMarkBytes?: number;
}

export interface MemoryPair {
  readonly a: Transport;
  readonly b: Transport;
  /** Breaks the pipe: both ends get `onClose` with CONNECTION_LOST, and what was under way is lost. */
  cut(): void;
}

/** Two transports joined in memory. */
export function createMemoryPair(options: MemoryPairOptions = {}): MemoryPair {
  const a = new MemoryEnd(options);
  const b = new MemoryEnd(options);
  a.join(b);
  b.join(a);
  return {
    a,
    b,
    cut() {
      a.lose();
      b.lose();
    },
  };
}

class MemoryEnd implements Transport {
  readonly remoteAddress = 'memory';
  readonly #schedule: (callback: () => void) => void;
  readonly #maxChunkBytes: number;
  readonly #highWaterMarkBytes: number;
  #peer: MemoryEnd | undefined;
  #handler: TransportHandler | undefined;
  /** What we wrote and the other end has not got. */
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #isPaused = false;
  #isScheduled = false;
  #isEnding = false;
  #isClosed = false;
  #error: Error | undefined;
  #wantsDrain = false;

  constructor(options: MemoryPairOptions) {
    this.#schedule = options.schedule ?? queueMicrotask;
    this.#maxChunkBytes = options.maxChunkBytes ?? Number.POSITIVE_INFINITY;
    this.#highWaterMarkBytes = options.highWaterMarkBytes ?? DEFAULT_HIGH_WATER_MARK_BYTES;
  }

  join(peer: MemoryEnd): void {
    this.#peer = peer;
  }

  get bufferedBytes(): number {
    return this.#queuedBytes;
  }

  start(handler: TransportHandler): void {
    this.#handler = handler;
    if (this.#isClosed) this.#schedule(() => handler.onClose(this.#error));
    else this.#peer?.pump();
  }

  write(bytes: Uint8Array): boolean {
    if (this.#isEnding || this.#isClosed) return false;
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    this.pump();
    this.#wantsDrain = this.#queuedBytes >= this.#highWaterMarkBytes;
    return !this.#wantsDrain;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#peer?.pump();
  }

  end(): void {
    this.#isEnding = true;
    this.pump();
  }

  destroy(): void {
    this.#forget();
    this.#isEnding = true;
    this.pump();
  }

  /** Closes with an error, at once but for the telling. */
  lose(): void {
    this.#forget();
    this.#close(new BcastError('CONNECTION_LOST', { cause: new Error('the memory pipe was cut') }));
  }

  /** Moves on what is queued, later. */
  pump(): void {
    if (this.#isScheduled || this.#isClosed) return;
    this.#isScheduled = true;
    this.#schedule(() => {
      this.#isScheduled = false;
      this.#moveOn();
    });
  }

  #moveOn(): void {
    if (this.#isClosed) return;
    if (this.#queue.length > 0) this.#deliver();
    if (this.#queue.length > 0) {
      if (this.#peer?.isReading) this.pump();
    } else if (this.#isEnding) {
      this.#close();
      this.#peer?.endedByPeer();
    }
  }

  get isReading(): boolean {
    return this.#handler !== undefined && !this.#isPaused;
  }

  /** The other end has closed: what we still wanted to say has nowhere to go. */
  endedByPeer(): void {
    this.#forget();
    this.#close();
  }

  #deliver(): void {
    const [first] = this.#queue;
    if (first === undefined || !this.#peer?.isReading) return;
    const chunk = first.subarray(0, this.#maxChunkBytes);
    if (chunk.length === first.length) this.#queue.shift();
    else this.#queue[0] = first.subarray(chunk.length);
    this.#queuedBytes -= chunk.length;
    this.#peer.take(chunk);
    if (this.#wantsDrain && this.#queuedBytes === 0 && !this.#isClosed) {
      this.#wantsDrain = false;
      this.#handler?.onDrain();
    }
  }

  take(chunk: Uint8Array): void {
    if (!this.#isEnding) this.#handler?.onData(chunk);
  }

  #forget(): void {
    this.#queue = [];
    this.#queuedBytes = 0;
  }

  #close(error?: Error): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#error = error;
    const handler = this.#handler;
    if (handler !== undefined) this.#schedule(() => handler.onClose(error));
  }
}
