import type { ReadStream } from 'node:tty';
import type { Clock, Timer } from '../../clock.ts';
import { decodeKeys, ESCAPE_TIMEOUT_MS, flushKeys, isEscapePending, type KeyEvent, NO_KEYS } from './keys.ts';

export interface Keyboard {
  /** Takes the terminal's keys as they are, unechoed. */
  open(): void;
  /** Gives them back. */
  close(): void;
}

/** Raw bytes of a terminal as key events. `onEnd`: there will be no more. */
export function openKeyboard(
  input: ReadStream,
  clock: Clock,
  onKey: (event: KeyEvent) => void,
  onEnd: () => void,
): Keyboard {
  let state = NO_KEYS;
  let escapeTimer: Timer | null = null;
  const deliver = ([next, events]: readonly [typeof state, readonly KeyEvent[]]): void => {
    state = next;
    for (const event of events) onKey(event);
  };
  const onData = (chunk: Buffer): void => {
    escapeTimer?.cancel();
    escapeTimer = null;
    deliver(decodeKeys(state, chunk));
    if (isEscapePending(state)) escapeTimer = clock.after(ESCAPE_TIMEOUT_MS, () => deliver(flushKeys(state)));
  };
  const keyboard: Keyboard = {
    open() {
      input.setRawMode(true);
      input.on('data', onData);
      input.once('end', onEnd);
      // A terminal that is gone reads as an error.
      input.once('error', onEnd);
      input.resume();
    },
    close() {
      escapeTimer?.cancel();
      input.off('data', onData);
      input.off('end', onEnd);
      input.off('error', onEnd);
      if (!input.destroyed) input.setRawMode(false);
      input.pause();
    },
  };
  keyboard.open();
  return keyboard;
}
