import { formatDuration } from '../duration.ts';
import type { BcastError } from '../errors.ts';
import { MAX_FIRST_WAIT_MS } from './reconnect.ts';
import { sanitiseLine } from './sanitise.ts';

/** Tells a person, once, what the first connection waits for: a server that is full, or whose storage is out of reach. */
export function sayFirstWait(tell: (text: string) => void): (error: BcastError) => void {
  let isSaid = false;
  return ({ message }) => {
    if (!isSaid) tell(`${sanitiseLine(message)} Trying for up to ${formatDuration(MAX_FIRST_WAIT_MS)}.`);
    isSaid = true;
  };
}
