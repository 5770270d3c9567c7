import type { Clock } from '../../clock.ts';
import { formatDuration } from '../../duration.ts';
import { BcastError } from '../../errors.ts';
import type { Client } from '../client.ts';
import type { ClientEvent, ConnectionStatus } from '../events.ts';
import { sanitiseLine } from '../sanitise.ts';
import type { Ending, EndingSwitch, Silence } from './ending.ts';
import { forgottenText, gapText, removedText } from './format.ts';
import type { PipeOptions } from './options.ts';

export interface Progress {
  /** The last moment an acknowledgement came, or is to come after the server asked for patience. */
  lastMs: number;
  rejected: number;
  wasOnline: boolean;
  /** It was said that the server's storage is out of reach, and nothing has got through since. */
  isStorageOut: boolean;
}

/** What watching a run takes. */
export interface Watched {
  readonly client: Pick<Client, 'inviteUrl'>;
  readonly options: PipeOptions;
  readonly streams: { readonly note: (line: string) => void };
  readonly clock: Clock;
  readonly ending: EndingSwitch;
  readonly progress: Progress;
}

/** What an event means for the run beside its output: an ending, a pause, or a line on stderr. */
export function heed(event: ClientEvent, state: Watched, silence: Silence | undefined): void {
  const { progress, clock, options, streams, client } = state;
  const note = noteUnlessQuiet(state);
  switch (event.type) {
    case 'message':
    case 'private':
    case 'published':
      silence?.touch();
      return;
    case 'sent':
      silence?.touch();
      progress.isStorageOut = false;
      return;
    case 'joined':
      progress.isStorageOut = false;
      // Told this once, and to nobody else: also to somebody who wants to hear nothing of the connection.
      if (event.banner.code !== null) {
        streams.note(`The code of ${event.room} is ${event.banner.code}. The server will not say it again.`);
        streams.note(client.inviteUrl(event.room));
      }
      return;
    case 'unavailable':
      if (!progress.isStorageOut) note('The storage of the server is out of reach. What needs it waits.');
      progress.isStorageOut = true;
      return;
    case 'slowDown':
      progress.lastMs = clock.monotonicMs() + event.retryAfterMs;
      return;
    case 'gap':
    case 'forgotten':
      // Whoever only sends misses nothing.
      if (options.output !== null) streams.note(event.type === 'gap' ? gapText(event) : forgottenText(event.room));
      return;
    case 'removed':
    case 'left':
      onRoomLost(event, state);
      return;
    case 'status':
      onStatus(event.status, state);
      return;
    default:
      return;
  }
}

/** Writes lines that `--quiet` does without. */
export function noteUnlessQuiet({ options, streams }: Pick<Watched, 'options' | 'streams'>): (line: string) => void {
  return options.isQuiet ? () => undefined : streams.note;
}

function onStatus(status: ConnectionStatus, state: Watched): void {
  const { progress, ending } = state;
  const note = noteUnlessQuiet(state);
  if (status.state === 'online') {
    progress.wasOnline = true;
    if (status.isReconnect) note('Connected again.');
  } else if (status.state === 'offline' && progress.wasOnline) {
    // What the first connection had to wait for was said while it did.
    note(`${sanitiseLine(status.error.message)} Trying again in ${formatDuration(status.retryInMs)}.`);
  } else if (status.state === 'closed' && status.error !== undefined) {
    ending.end({ why: 'failed', error: status.error });
  }
}

/** With the last room, what line mode is for is gone; with another one, that is only said. */
function onRoomLost(
  event: Extract<ClientEvent, { type: 'removed' | 'left' }>,
  { options, ending, streams }: Watched,
): void {
  const error = lossOf(event);
  if (error === undefined) return;
  if (options.rooms.length <= 1) ending.end({ why: 'failed', error });
  else streams.note(sanitiseLine(error.message));
}

function lossOf(event: Extract<ClientEvent, { type: 'removed' | 'left' }>): BcastError | undefined {
  if (event.type === 'left') return event.error;
  const code = event.removal === 'ban' ? 'ROOM_BANNED' : 'ROOM_KICKED';
  return new BcastError(code, { text: `${removedText(event)}.` });
}

/** The last words on stderr, if there is anything to say. */
export function summarise({ options, streams, progress }: Watched, { why }: Ending, unacknowledged: number): void {
  if (unacknowledged > 0) {
    const [what, it] = unacknowledged === 1 ? ['1 message was', 'it'] : [`${unacknowledged} messages were`, 'they'];
    streams.note(`${what} not acknowledged; ${it} may or may not have arrived.`);
  }
  if (progress.rejected > 1) streams.note(`${progress.rejected} messages were not sent.`);
  if (why === 'timeout' && !options.isQuiet) streams.note('The time given with --timeout ran out.');
  if (why === 'input' && options.count !== undefined && !options.isQuiet) {
    streams.note('The input ended before --count was reached; --stay goes on receiving.');
  }
}
