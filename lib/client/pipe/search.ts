import type { Events } from '../../protocol/messages.ts';
import type { Client, Found } from '../client.ts';
import { formatMessage, type OutputForm, placed } from './format.ts';
import type { Output } from './output.ts';

/** What to look for. */
export interface PipeSearch {
  readonly words: string;
  /** The newest so many. */
  readonly limit: number;
  readonly beforeSeq: number | undefined;
  readonly form: OutputForm;
}

/** Writes what the server finds in a room that was entered. Resolves to how far it looked, in words. */
export async function writeFound(
  { words, limit, beforeSeq, form }: PipeSearch,
  client: Pick<Client, 'search'>,
  banner: Events['joined'],
  output: Output,
): Promise<string> {
  const found = await client.search(banner.room, words, { limit, beforeSeq });
  for (const message of found.messages) {
    const line = formatMessage(form, message);
    const wait = output.write(form === 'text' ? placed(message, line) : line);
    if (wait !== undefined) await wait;
  }
  return reachOf(found, limit, banner);
}

function reachOf({ messages, fromSeq }: Found, limit: number, { room, first }: Events['joined']): string {
  const oldest = messages[0]?.seq;
  if (messages.length === limit && oldest !== undefined)
    return `These are the newest ${limit} of ${room}. For older ones: --before ${oldest}`;
  if (fromSeq <= first) return `Looked through all that is kept of ${room}, which is what came since message ${first}.`;
  return `Looked through ${room} back to message ${fromSeq} only. For older ones: --before ${fromSeq}`;
}
