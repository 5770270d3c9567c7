/** The thread of a store: does what it is asked, one call after another, and answers each. */
import { parentPort, workerData } from 'node:worker_threads';
import { type BcastError, toBcastError } from '../../../errors.ts';
import { createReader } from './reader.ts';
import type { Answer, Call, Failure, ThreadOptions } from './thread.ts';
import { openWriter } from './writer.ts';

const port = parentPort;
const { role, ...options } = workerData as ThreadOptions;

function attempt(id: number, work: () => unknown): void {
  try {
    const result = work();
    port?.postMessage({ id, result } satisfies Answer, buffersOf(result));
  } catch (error) {
    port?.postMessage({ id, failure: describe(toBcastError(error)) } satisfies Answer);
  }
}

/** What a call answers in bytes is given away, not copied. */
function buffersOf(result: unknown): ArrayBuffer[] {
  if (result instanceof Float64Array) return [result.buffer as ArrayBuffer];
  const { entries } = (result ?? {}) as { entries?: unknown };
  return entries instanceof Uint8Array ? [entries.buffer as ArrayBuffer] : [];
}

function describe({ code, message, cause }: BcastError): Failure {
  return { code, text: message, ...(cause instanceof Error ? { cause: cause.stack ?? cause.message } : {}) };
}

attempt(0, () => {
  const calls: Record<string, (...args: never[]) => unknown> = {
    ...(role === 'writer' ? openWriter(options) : createReader(options)),
  };
  port?.on('message', ({ id, name, args }: Call) => {
    attempt(id, () => calls[name]?.(...(args as never[])));
    if (name === 'close') port.close();
  });
});
