/** What a transport tells its owner. Calls never overlap, and none comes after `onClose`. */
export interface TransportHandler {
  /**
   * Bytes as they came, cut anywhere. They belong to the transport and are valid only during the call, in which they may
   * be overwritten: records are opened in place.
   */
  onData(bytes: Uint8Array): void;
  /** What was written has left; called after a `write` that returned false. */
  onDrain(): void;
  /** The pipe is gone, once, whoever closed it; `error` is there when it broke. */
  onClose(error?: Error): void;
}

/** A byte pipe to the other end. It knows nothing of frames. */
export interface Transport {
  /** The other end's address as text, without a port: an IP address, or a word for pipes that have none. */
  readonly remoteAddress: string;
  /** Bytes written here and not yet taken by the operating system. At 0, the memory of what was written is free again. */
  readonly bufferedBytes: number;
  /** Must be called once, before anything else; nothing is read before. */
  start(handler: TransportHandler): void;
  /** Queues `bytes`, which the caller gives away. False: write no more until `onDrain`. */
  write(bytes: Uint8Array): boolean;
  /** Stops `onData` until `resume`; bytes wait in the operating system and the other end is slowed. */
  pause(): void;
  resume(): void;
  /** Sends what is queued, then closes. */
  end(): void;
  /** Closes at once and forgets what is queued. */
  destroy(): void;
}
