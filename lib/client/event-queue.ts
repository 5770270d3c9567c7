import type { RoomName } from '../protocol/names.ts';
import type { ClientEvent, RoomMessage } from './events.ts';

/** What an event counts beside its text, in UTF-16 units. */
const EVENT_UNITS = 128;
/** What may wait for a reader before messages of rooms are left where they are; two bytes each at most. */
const MAX_WAITING_UNITS = 32 * 1_048_576;
/** What may wait at all: private messages and news of who comes and goes cannot be had later. */
const OVERFLOW_UNITS = 2 * MAX_WAITING_UNITS;
/** What is kept for a reader who has not come yet. Somebody who only sends never comes, and must not be held up for it. */
const MAX_KEPT_UNITS = 4 * 1_048_576;

/** Events read before their places are freed. */
const COMPACT_EVENTS = 4_096;

type Listener = (event: ClientEvent) => void;

/** Messages of one room that were kept for a reader and let go. */
interface LetGo {
  readonly room: RoomName;
  readonly first: number;
  readonly last: number;
}

export interface EventQueueOptions {
  /** Told when a reader has enough for now, and when it has not any more. */
  readonly onPressure: (isFull: boolean) => void;
  /** Told with every event that goes past all bounds. */
  readonly onOverflow: () => void;
}

/**
 * Hands events to listeners as they happen, and to readers at their own pace. As long as there is neither, events are
 * kept for the first that comes, so that nothing is missed between `connect` and the first look; if nobody comes for
 * long they are let go, and the reader is told of it as a `gap`.
 */
export class EventQueue {
  readonly #listeners = new Set<Listener>();
  readonly #readers = new Set<Reader>();
  readonly #options: EventQueueOptions;
  #kept: ClientEvent[] = [];
  #keptUnits = 0;
  #letGo = new Map<RoomName, LetGo>();
  #isFull = false;
  #isEnded = false;

  constructor(options: EventQueueOptions) {
    this.#options = options;
  }

  push(event: ClientEvent): void {
    for (const listener of this.#listeners) call(listener, event);
    for (const reader of this.#readers) reader.push(event);
    if (this.#readers.size > 0) this.#onPushed();
    else if (this.#listeners.size === 0) this.#keep(event);
  }

  /** After the last event: readers end when they have read what is left. */
  end(): void {
    this.#isEnded = true;
    for (const reader of this.#readers) reader.end();
  }

  /** Calls `listener` for every event from now on, and first for those that were kept. Returns what ends that. */
  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    for (const event of this.#takeKept()) call(listener, event);
    return () => void this.#listeners.delete(listener);
  }

  /** A reader of every event from now on, and of those that were kept. */
  read(): AsyncIterableIterator<ClientEvent, undefined> {
    const reader = new Reader(
      () => this.#checkPressure(),
      () => {
        this.#readers.delete(reader);
        this.#checkPressure();
      },
    );
    this.#readers.add(reader);
    for (const event of this.#takeKept()) reader.push(event);
    if (this.#isEnded) reader.end();
    return reader;
  }

  #keep(event: ClientEvent): void {
    this.#kept.push(event);
    this.#keptUnits += unitsOf(event);
    if (this.#keptUnits <= MAX_KEPT_UNITS) return;
    for (const one of this.#kept) if (one.type === 'message') this.#note(one);
    this.#kept = [];
    this.#keptUnits = 0;
  }

  #note({ room, seq }: RoomMessage): void {
    const { first = seq } = this.#letGo.get(room) ?? {};
    this.#letGo.set(room, { room, first, last: seq });
  }

  #takeKept(): readonly ClientEvent[] {
    const gaps = [...this.#letGo.values()].map(({ room, first, last }) => ({
      type: 'gap' as const,
      room,
      first,
      last,
    }));
    const kept = this.#kept;
    this.#letGo = new Map();
    this.#kept = [];
    this.#keptUnits = 0;
    return [...gaps, ...kept];
  }

  #onPushed(): void {
    this.#checkPressure();
    if (this.#waitingUnits > OVERFLOW_UNITS) this.#options.onOverflow();
  }

  #checkPressure(): void {
    // Half of it must be read before more is let in, so that the two do not take turns at every event.
    const isFull = this.#waitingUnits > (this.#isFull ? MAX_WAITING_UNITS / 2 : MAX_WAITING_UNITS);
    if (isFull === this.#isFull) return;
    this.#isFull = isFull;
    this.#options.onPressure(isFull);
  }

  /** Of the slowest reader. */
  get #waitingUnits(): number {
    let units = 0;
    for (const reader of this.#readers) units = Math.max(units, reader.waitingUnits);
    return units;
  }
}

class Reader implements AsyncIterableIterator<ClientEvent, undefined> {
  readonly #onRead: () => void;
  readonly #onLeft: () => void;
  #waiting: ClientEvent[] = [];
  #next = 0;
  #units = 0;
  #isEnded = false;
  #asking: ((result: IteratorResult<ClientEvent, undefined>) => void)[] = [];

  constructor(onRead: () => void, onLeft: () => void) {
    this.#onRead = onRead;
    this.#onLeft = onLeft;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  get waitingUnits(): number {
    return this.#units;
  }

  push(event: ClientEvent): void {
    const ask = this.#asking.shift();
    if (ask !== undefined) {
      ask({ value: event, done: false });
      return;
    }
    this.#waiting.push(event);
    this.#units += unitsOf(event);
  }

  end(): void {
    this.#isEnded = true;
    for (const ask of this.#asking.splice(0)) ask({ value: undefined, done: true });
  }

  next(): Promise<IteratorResult<ClientEvent, undefined>> {
    const event = this.#take();
    if (event !== undefined) return Promise.resolve({ value: event, done: false });
    if (this.#isEnded) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve) => this.#asking.push(resolve));
  }

  return(): Promise<IteratorResult<ClientEvent, undefined>> {
    this.#waiting = [];
    this.#next = 0;
    this.#units = 0;
    this.end();
    this.#onLeft();
    return Promise.resolve({ value: undefined, done: true });
  }

  #take(): ClientEvent | undefined {
    const event = this.#waiting[this.#next];
    if (event === undefined) return undefined;
    this.#next += 1;
    // Many at once, since shifting a long array costs its length each time.
    if (this.#next === this.#waiting.length || this.#next === COMPACT_EVENTS) {
      this.#waiting = this.#waiting.slice(this.#next);
      this.#next = 0;
    }
    this.#units -= unitsOf(event);
    this.#onRead();
    return event;
  }
}

/** A listener that throws is its owner's fault and must not harm the connection: it is thrown where nobody else stands. */
function call(listener: Listener, event: ClientEvent): void {
  try {
    listener(event);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

function unitsOf(event: ClientEvent): number {
  const text = 'body' in event ? event.body.length : 0;
  const rows = event.type === 'presence' ? event.changes.length : event.type === 'members' ? event.members.length : 0;
  return EVENT_UNITS * (rows + 1) + text;
}
