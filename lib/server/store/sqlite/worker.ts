/** The thread of a store: does what it is asked, one call after another, and answers each. */
import { receiveMessageOnPort, workerData } from 'node:worker_threads';
import { type BcastError, toBcastError } from '../../../errors.ts';
import { createCopier } from './copier.ts';
import { createReader } from './reader.ts';
import type { Answer, Call, Failure, ThreadData } from './thread.ts';
import { openWriter } from './writer.ts';

const { port, signal, role, ...options } = workerData as ThreadData;
let calls: Readonly<Record<string, (...args: never[]) => unknown>> = {};

const ROLES = { writer: openWriter, reader: createReader, copier: createCopier };

function attempt(id: number, work: () => unknown): void {
  try {
    const result = work();
    port.postMessage({ id, result } satisfies Answer, buffersOf(result));
  } catch (error) {
    port.postMessage({ id, failure: describe(toBcastError(error)) } satisfies Answer);
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

/** Does what has been asked by now; false once that was to close. */
function serve(): boolean {
  for (let asked = receiveMessageOnPort(port); asked !== undefined; asked = receiveMessageOnPort(port)) {
    const { id, name, args } = asked.message as Call;
    attempt(id, () => calls[name]?.(...(args as never[])));
    if (name === 'close') return false;
  }
  return true;
}

attempt(0, () => {
  calls = { ...ROLES[role](options) };
});

// Not by the event loop: waking up there takes three times as long, and a call more than the small ones themselves.
for (let seen = Atomics.load(signal, 0); serve(); seen = Atomics.load(signal, 0)) Atomics.wait(signal, 0, seen);
port.close();
