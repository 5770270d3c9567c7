import { extname } from 'node:path';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { BcastError, type ErrorCode } from '../../../errors.ts';
import type { FileOptions } from './writer.ts';

export interface ThreadOptions extends FileOptions {
  readonly role: 'writer' | 'reader' | 'copier';
}

export interface ThreadData extends ThreadOptions {
  /** Calls come by it, answers go. */
  readonly port: MessagePort;
  /** Changes with each call. */
  readonly signal: Int32Array<SharedArrayBuffer>;
}

export interface Call {
  readonly id: number;
  readonly name: string;
  readonly args: readonly unknown[];
}

/** To the call of that number; 0 stands for the start. */
export interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly failure?: Failure;
}

export interface Failure {
  readonly code: ErrorCode;
  readonly text: string;
  /** For the log. */
  readonly cause?: string;
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: BcastError) => void;
}

// biome-ignore lint/suspicious/noExplicitAny: any function; Parameters and ReturnType give its types back exactly.
type Calls<C> = { readonly [N in keyof C]: (...args: any[]) => unknown };

/** What can be asked of somebody who works elsewhere and answers in order. */
export interface Caller<C extends Calls<C>> {
  /** Rejects with CONFIG when the file cannot be used. */
  readonly started: Promise<void>;
  /** What is in `transfer` belongs to the other side from then on. Rejects with what the call throws. */
  call<N extends keyof C & string>(
    name: N,
    args: Parameters<C[N]>,
    transfer?: readonly ArrayBuffer[],
  ): Promise<ReturnType<C[N]>>;
  /** Ends it after what was asked before. */
  end(): Promise<void>;
}

/** This file may be a source or what was built of it; the worker is the same. */
const WORKER = new URL(`./worker${extname(import.meta.url)}`, import.meta.url);

/** A thread with a connection of its own to the store's file. */
export class StoreThread<C extends Calls<C>> implements Caller<C> {
  readonly #port: MessagePort;
  readonly #signal = new Int32Array(new SharedArrayBuffer(4));
  readonly #waiting = new Map<number, Waiting>();
  readonly #ended: Promise<void>;
  #lastId = 0;
  #death: BcastError | undefined;
  readonly started: Promise<void>;

  constructor(options: ThreadOptions) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1.on('message', (answer: Answer) => this.#settle(answer));
    const worker = new Worker(WORKER, {
      workerData: { ...options, port: port2, signal: this.#signal } satisfies ThreadData,
      transferList: [port2],
      // Node 24.7 still calls its SQLite experimental, on stderr.
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    worker.on('error', (error) => this.#die(error));
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#ended = promise;
    worker.once('exit', () => {
      port1.close();
      this.#die(new Error('the thread of the store has ended'));
      resolve();
    });
    this.started = this.#wait(0) as Promise<void>;
    // Not everybody waits for it; whoever calls a dead thread is told.
    this.started.catch(() => undefined);
  }

  call<N extends keyof C & string>(
    name: N,
    args: Parameters<C[N]>,
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<ReturnType<C[N]>> {
    if (this.#death !== undefined) return Promise.reject(this.#death);
    this.#lastId += 1;
    const answered = this.#wait(this.#lastId);
    this.#port.postMessage({ id: this.#lastId, name, args } satisfies Call, transfer);
    Atomics.add(this.#signal, 0, 1);
    Atomics.notify(this.#signal, 0);
    return answered as Promise<ReturnType<C[N]>>;
  }

  async end(): Promise<void> {
    if (this.#death === undefined) this.call('close' as never, [] as never).catch(() => undefined);
    await this.#ended;
  }

  #wait(id: number): Promise<unknown> {
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  #settle({ id, result, failure }: Answer): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (failure === undefined) waiting?.resolve(result);
    else waiting?.reject(errorOf(failure));
  }

  #die(error: unknown): void {
    this.#death ??= new BcastError('INTERNAL', { cause: error });
    for (const { reject } of this.#waiting.values()) reject(this.#death);
    this.#waiting.clear();
  }
}

function errorOf({ code, text, cause }: Failure): BcastError {
  return new BcastError(code, { text, ...(cause === undefined ? {} : { cause: new Error(cause) }) });
}
