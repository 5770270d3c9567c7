import { BcastError } from '../../errors.ts';
import type { Access } from '../../protocol/messages.ts';
import { type RoomName, requireRoomName, toUserName } from '../../protocol/names.ts';
import type { OutputForm } from './format.ts';
import type { Destination, InputForm } from './outgoing.ts';
import type { PipeSearch } from './search.ts';

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
  readonly backlog: PipeBacklog | null;
  /** False: ends when the backlog has been told. */
  readonly follow: boolean;
}

/** What of the past; all of it when nothing is said. */
export interface PipeBacklog {
  readonly sinceSeq?: number;
  readonly sinceMs?: number;
  readonly last?: number;
  /** Ends before this message, without what is said later. */
  readonly beforeSeq?: number;
}

/** Everything line mode is told. Durations are in milliseconds. */
export interface PipeOptions {
  /** The rooms to be in. */
  readonly rooms: readonly RoomName[];
  /** Of the locked ones among them. */
  readonly code: string | undefined;
  /** Only make them, so. */
  readonly create: Access | undefined;
  /** Where messages go that do not name it themselves. */
  readonly destination: Destination;
  readonly input: PipeInput | null;
  readonly output: PipeOutput | null;
  /** Looks for something in the first room, writes what was found, and ends. */
  readonly search: PipeSearch | null;
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

/** What the command line says about places. */
export interface Places {
  readonly rooms: readonly string[];
  readonly isRoomNamed: boolean;
  readonly to?: string | undefined;
  readonly isForFollowers?: boolean;
}

/**
 * The rooms to be in and where messages go: to the person `to`, to followers, or to the first room. Whoever does not write
 * to a room is in rooms only when they were named. Throws ROOM_NAME_INVALID and USAGE.
 */
export function placesOf(places: Places): Pick<PipeOptions, 'rooms' | 'destination'> {
  const { rooms, isRoomNamed, to, isForFollowers = false } = places;
  const names = rooms.map(requireRoomName);
  const named = isRoomNamed ? names : [];
  if (isForFollowers) return { rooms: named, destination: 'followers' };
  if (to === undefined) return { rooms: names, destination: { room: names[0] as RoomName } };
  const name = toUserName(to);
  if (name === null) throw new BcastError('USAGE', { text: `--to ${JSON.stringify(to)} names nobody.` });
  return { rooms: named, destination: { to: name } };
}
