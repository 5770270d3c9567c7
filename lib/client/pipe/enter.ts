import { toBcastError } from '../../errors.ts';
import type { Events } from '../../protocol/messages.ts';
import type { RoomName } from '../../protocol/names.ts';
import type { Client, JoinOptions } from '../client.ts';
import type { PipeOptions } from './options.ts';

/** Asks the person for the code of a locked room; null when there is none. */
export type AskCode = (room: RoomName) => Promise<string | null>;

export interface Entering {
  readonly client: Pick<Client, 'join' | 'codeOf'>;
  readonly askCode: AskCode | undefined;
  readonly nowMs: number;
  /** Nobody wants to be let in any more. */
  readonly isOver: () => boolean;
}

/** Enters the rooms, one after the other; those that it is in already when it returns. Rejects when one would not have us. */
export async function joinRooms(options: PipeOptions, entering: Entering): Promise<readonly Events['joined'][]> {
  const { rooms, output, code, create } = options;
  const how: JoinOptions = {
    watch: output?.events === true,
    backlog: backlogOf(options, entering.nowMs),
    code,
    create,
    // Whoever only sends has got nothing.
    marks: output !== null,
  };
  const banners: Events['joined'][] = [];
  for (const room of rooms) {
    if (entering.isOver()) break;
    try {
      banners.push(await joinRoom(room, how, entering));
    } catch (error) {
      // The client enters the room itself when it is back.
      if (toBcastError(error).code !== 'CONNECTION_LOST') throw error;
    }
  }
  return banners;
}

/** A code that was given is tried once; without one the person is asked. */
async function joinRoom(room: RoomName, how: JoinOptions, { client, askCode }: Entering): Promise<Events['joined']> {
  const isCodeGiven = how.code !== undefined || client.codeOf(room) !== null;
  try {
    return await client.join(room, how);
  } catch (error) {
    const isAsking = toBcastError(error).code === 'BAD_CODE' && !isCodeGiven && askCode !== undefined;
    const asking: Promise<string | null> = isAsking ? askCode(room) : Promise.resolve(null);
    const code = await asking;
    if (code === null) throw error;
    return client.join(room, { ...how, code });
  }
}

function backlogOf({ output }: PipeOptions, nowMs: number): JoinOptions['backlog'] {
  if (output === null || output.backlog === null) return undefined;
  const { sinceSeq, sinceMs, last, beforeSeq } = output.backlog;
  if (sinceSeq !== undefined) return { afterSeq: sinceSeq };
  if (sinceMs !== undefined) return { sinceMs: Math.max(0, nowMs - sinceMs) };
  // Those before a message are counted from it, not from the newest.
  if (last !== undefined && beforeSeq !== undefined) return { afterSeq: Math.max(0, beforeSeq - 1 - last) };
  return { last: last ?? Number.MAX_SAFE_INTEGER };
}
