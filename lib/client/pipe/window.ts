/** What was handed to the client and is not yet acknowledged. While it is full, stdin is not read. */
export interface Window {
  readonly messages: number;
  /** Counts one message in. */
  add(bytes: number): void;
  /** Counts one message out. */
  remove(bytes: number): void;
  /** Nothing while there is room, otherwise a promise that settles when there is. */
  room(): Promise<void> | undefined;
  /** When everything has been counted out. */
  empty(): Promise<void>;
}

/** A message larger than `maxBytes` still passes, alone. */
export function createWindow(maxMessages: number, maxBytes: number): Window {
  let messages = 0;
  let bytes = 0;
  let waiting: { readonly isOver: () => boolean; readonly resolve: () => void }[] = [];
  const hasRoom = () => messages < maxMessages && bytes < maxBytes;
  const isEmpty = () => messages === 0;
  const when = (isOver: () => boolean) => new Promise<void>((resolve) => waiting.push({ isOver, resolve }));

  return {
    get messages() {
      return messages;
    },
    add(size) {
      messages += 1;
      bytes += size;
    },
    remove(size) {
      messages -= 1;
      bytes -= size;
      if (waiting.length === 0) return;
      const over = waiting.filter(({ isOver }) => isOver());
      waiting = waiting.filter(({ isOver }) => !isOver());
      for (const { resolve } of over) resolve();
    },
    room: () => (hasRoom() ? undefined : when(hasRoom)),
    empty: () => (isEmpty() ? Promise.resolve() : when(isEmpty)),
  };
}
