import { BcastError } from '../../errors.ts';
import { type RoomName, requireRoomName, toUserName } from '../../protocol/names.ts';
import type { OutputForm } from './format.ts';
import type { Destination, InputForm } from './outgoing.ts';

/** Where messages come from: one given on the command line, or stdin cut up. Without either, stdin is never touched. */
export type PipeInput =
  | { readonly message: string }
  | {
      readonly form: InputForm;
      /** Keeps receiving after the end of the input. */
      readonly stay: boolean;
    };

/** What is received, and in which form it goes to stdout. */
export interface PipeOutput {
  readonly form: OutputForm;
  /** Joins and the like go to stdout too. */
  readonly events: boolean;
  readonly backlog: { readonly sinceSeq?: number; readonly sinceMs?: number; readonly last?: number } | null;
  /** False: ends when the backlog has been told. */
  readonly follow: boolean;
}

/** Everything line mode is told. Durations are in milliseconds. */
export interface PipeOptions {
  /** The rooms to be in. */
  readonly rooms: readonly RoomName[];
  /** Where messages go that do not name it themselves. */
  readonly destination: Destination;
  readonly input: PipeInput | null;
  readonly output: PipeOutput | null;
  readonly keepEmpty: boolean;
  /** Writes what was acknowledged to stdout. */
  readonly receipts: boolean;
  /** Gives up on acknowledgements when none has come for so long. */
  readonly drainTimeoutMs: number;
  /** Ends after so many received messages. */
  readonly count: number | undefined;
  /** Ends after so long, whatever happens. */
  readonly timeoutMs: number | undefined;
  /** Ends when nothing was received or acknowledged for so long. */
  readonly idleMs: number | undefined;
  /** Says nothing about the connection. */
  readonly isQuiet: boolean;
}

/**
 * The rooms to be in and where messages go: to the person `to`, or to the first room. Whoever writes to a person is in
 * rooms only when they were named. Throws ROOM_NAME_INVALID and USAGE.
 */
export function placesOf(
  rooms: readonly string[],
  to: string | undefined,
  isRoomNamed: boolean,
): Pick<PipeOptions, 'rooms' | 'destination'> {
  const names = rooms.map(requireRoomName);
  if (to === undefined) return { rooms: names, destination: { room: names[0] as RoomName } };
  const name = toUserName(to);
  if (name === null) throw new BcastError('USAGE', { text: `--to ${JSON.stringify(to)} names nobody.` });
  return { rooms: isRoomNamed ? names : [], destination: { to: name } };
}
