import type { Writable } from 'node:stream';

/** Where the data goes. */
export interface Output {
  /**
   * Writes one line in one call. Returns nothing while the reader keeps up, otherwise a promise that settles when it
   * has, so that a slow reader holds the caller and not our memory.
   */
  write(line: string): Promise<void> | undefined;
  /** When everything written has left this process, or the reader is gone. */
  flush(): Promise<void>;
  /** Aborted when nobody reads any more (EPIPE): writes then do nothing. */
  readonly gone: AbortSignal;
}

/** Takes over the stream's errors; one that is not a reader who left is handed to `onFailure`. */
export function createOutput(stream: Writable, onFailure: (error: Error) => void): Output {
  const gone = new AbortController();
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // First: a reader who has left is an ending of its own, and the first ending counts.
    if (error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_DESTROYED') onFailure(error);
    gone.abort();
  });
  stream.on('close', () => gone.abort());

  /** Calls `start` with a callback and settles when that is called or the reader is gone. */
  function orGone(start: (done: () => void) => void): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        gone.signal.removeEventListener('abort', done);
        resolve();
      };
      gone.signal.addEventListener('abort', done, { once: true });
      start(done);
    });
  }

  /** One wait for all: every receipt of a full window may wait for the same slow reader. */
  let draining: Promise<void> | undefined;
  function drained(): Promise<void> {
    draining ??= orGone((done) => stream.once('drain', done)).then(() => {
      draining = undefined;
    });
    return draining;
  }

  return {
    gone: gone.signal,
    write(line) {
      if (gone.signal.aborted || stream.write(`${line}\n`)) return undefined;
      return drained();
    },
    async flush() {
      // Callbacks come in the order of the writes; 'drain' would not come at all for what never went over the mark.
      if (!gone.signal.aborted && stream.writableLength > 0) await orGone((done) => stream.write('', done));
    },
  };
}
