import { BcastError } from '../../errors.ts';
import type { Transport } from './transport.ts';

export interface MemoryPairOptions {
  /** Runs a callback later, never at once; `queueMicrotask` by default. */
  readonly schedule?: (callback: () => void) => void;
  /** How chunks are cut on their way: at most so many bytes each. */
  readonly maxChunkBytes?: number;
  /** `write` says false from so many waiting bytes on; 65,536 by default. */
  readonly highWaterMarkBytes?: number;
}

export interface MemoryPair {
  readonly a: Transport;
  readonly b: Transport;
  /** Breaks the pipe: both ends get `onClose` with an error, and what was under way is lost. */
  cut(): void;
}

/** Two transports joined in memory. */
export function createMemoryPair(options: MemoryPairOptions = {}): MemoryPair {
  throw new BcastError('INTERNAL', { cause: options });
}
