import { type BcastError, type ErrorCode, ERRORS } from '../errors.ts';
import { sanitiseLine } from '../client/sanitise.ts';
import { formatDuration } from '../duration.ts';

/** What to do next, where the message alone does not say it. */
const NEXT: { readonly [code in ErrorCode]?: string } = {
  CONNECT_FAILED: 'Is it running? `bcast start` runs a server here; --server URL names another one.',
  SERVER_UNKNOWN: 'If it is the right one, give --fingerprint or, to trust it from now on, --accept-new.',
  SERVER_CHANGED: 'Somebody may be in between, or the server was set up anew. Ask whoever runs it.',
  NAME_IN_USE: 'Take another one with -u NAME.',
  NAME_INVALID: 'Take another one with -u NAME.',
  TOO_MANY_SESSIONS: 'End one of them, or take another name with -u NAME.',
  VERSION_UNSUPPORTED: 'Update the older of the two.',
  USAGE: '`bcast help` lists what there is.',
};

/** An error as one or two short lines for stderr. Words that came from a server are made safe to print. */
export function explain(error: BcastError): string {
  const { code, message, untilMs, retryAfterMs, cause } = error;
  const lines = [`bcast: ${sanitiseLine(message)}${ending(untilMs, retryAfterMs)}`];
  const next = NEXT[code];
  if (next !== undefined) lines.push(`       ${next}`);
  // A fault of our own: without its origin nobody could ever mend it.
  if (ERRORS[code].scope === 'internal' && cause instanceof Error) lines.push(cause.stack ?? String(cause));
  return lines.join('\n');
}

function ending(untilMs: number | undefined, retryAfterMs: number | undefined): string {
  if (untilMs !== undefined) return ` It ends at ${new Date(Math.min(untilMs, 8.64e15)).toISOString()}.`;
  if (retryAfterMs !== undefined) return ` Try again in ${formatDuration(retryAfterMs)}.`;
  return '';
}
