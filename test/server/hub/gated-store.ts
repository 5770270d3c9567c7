import { BcastError } from '../../../lib/errors.ts';
import type { NameKey } from '../../../lib/protocol/names.ts';
import type {
  Draft,
  ListQuery,
  PageQuery,
  PutOptions,
  RecordKind,
  SearchQuery,
  Store,
} from '../../../lib/server/hub/ports.ts';

export type Operation = Exclude<keyof Store, 'keepMessages' | 'keepMs' | 'backup' | 'outage' | 'close'>;

export interface Gate {
  /** Resolves when somebody waits at the gate. */
  readonly reached: Promise<void>;
  /** Lets all through who wait and who are to come. */
  release(): void;
  /** Fails all who wait, before the store has seen them, and lets through who is to come. With INTERNAL if nothing is said. */
  fail(error?: BcastError): void;
}

/** A store whose answers come when a test lets them. */
export class GatedStore implements Store {
  readonly keepMessages: number;
  readonly keepMs: number;
  readonly #store: Store;
  readonly #gates = new Map<Operation, Promise<void>>();
  readonly #reached = new Map<Operation, () => void>();

  constructor(store: Store) {
    this.#store = store;
    this.keepMessages = store.keepMessages;
    this.keepMs = store.keepMs;
  }

  /** From now on calls of this operation wait. */
  hold(operation: Operation): Gate {
    const passage = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    passage.promise.catch(() => undefined);
    this.#gates.set(operation, passage.promise);
    this.#reached.set(operation, reached.resolve);
    const open = () => {
      if (this.#gates.get(operation) === passage.promise) this.#gates.delete(operation);
    };
    return {
      reached: reached.promise,
      release: () => {
        open();
        passage.resolve();
      },
      fail: (error = new BcastError('INTERNAL', { cause: new Error('the store is away') })) => {
        open();
        passage.reject(error);
      },
    };
  }

  open(room: NameKey) {
    return this.#pass('open', () => this.#store.open(room));
  }

  append(drafts: readonly Draft[]) {
    return this.#pass('append', () => this.#store.append(drafts));
  }

  read(room: NameKey, query: PageQuery) {
    return this.#pass('read', () => this.#store.read(room, query));
  }

  bounds(room: NameKey) {
    return this.#pass('bounds', () => this.#store.bounds(room));
  }

  search(room: NameKey, query: SearchQuery) {
    return this.#pass('search', () => this.#store.search(room, query));
  }

  retain(room: NameKey, isRetained: boolean) {
    return this.#pass('retain', () => this.#store.retain(room, isRetained));
  }

  get(kind: RecordKind, key: string) {
    return this.#pass('get', () => this.#store.get(kind, key));
  }

  put(kind: RecordKind, key: string, value: unknown, options?: PutOptions) {
    return this.#pass('put', () => this.#store.put(kind, key, value, options));
  }

  remove(kind: RecordKind, key: string, over?: number) {
    return this.#pass('remove', () => this.#store.remove(kind, key, over));
  }

  list(kind: RecordKind, query: ListQuery) {
    return this.#pass('list', () => this.#store.list(kind, query));
  }

  release(room: NameKey) {
    return this.#pass('release', () => this.#store.release(room));
  }

  forget(room: NameKey) {
    return this.#pass('forget', () => this.#store.forget(room));
  }

  close() {
    return this.#store.close();
  }

  async #pass<T>(operation: Operation, act: () => Promise<T>): Promise<T> {
    const gate = this.#gates.get(operation);
    this.#reached.get(operation)?.();
    await gate;
    return act();
  }
}
