import { sanitiseLine } from '../client/sanitise.ts';
import { formatDuration } from '../duration.ts';
import type { BcastError, ErrorCode } from '../errors.ts';

/** What to do next, where the message alone does not say it. */
const NEXT: { readonly [code in ErrorCode]?: string } = {
  SERVER_CHANGED: 'Somebody may be in between, or the server was set up anew. Ask whoever runs it.',
  NAME_IN_USE: 'Take another one with -u NAME.',
  NAME_REGISTERED:
    'If it is yours, give its password: --password-file FILE or BCAST_PASSWORD. Else take another one with -u NAME.',
  AUTH_FAILED: 'Whoever runs the server can set a new password. Several wrong ones in a row lock an address out.',
  AUTH_REQUIRED: 'Enter under the name you were given (-u NAME), with its key or its password.',
  BAD_CODE: 'Who is in the room can give it to you: --code-file FILE, BCAST_CODE, or in the URL of an invitation.',
  NAME_INVALID: 'Take another one with -u NAME.',
  TOO_MANY_SESSIONS: 'End one of them, or take another name with -u NAME.',
  VERSION_UNSUPPORTED: 'Update the older of the two.',
  USAGE: '`bcast help` lists what there is.',
};

/** An error as one or two short lines for stderr. Words that came from a server are made safe to print. */
export function explain(error: BcastError): string {
  const { code, message, untilMs, retryAfterMs, cause } = error;
  // INTERNAL with a cause never crossed the wire: it is a fault of this process, whose origin must be seen to be mended.
  if (code === 'INTERNAL' && cause !== undefined) return `bcast: This is a fault in bcast.\n${originOf(cause)}`;
  const next = NEXT[code];
  // What is wrong with the configuration never comes from a server, so its line ends are our own.
  const lines = code === 'CONFIG' ? message.split('\n') : [message];
  const line = `bcast: ${lines.map(sanitiseLine).join('\n       ')}${ending(untilMs, retryAfterMs)}`;
  return next === undefined ? line : `${line}\n       ${next}`;
}

function originOf(cause: unknown): string {
  return (cause instanceof Error ? cause.stack : undefined) ?? String(cause);
}

function ending(untilMs: number | undefined, retryAfterMs: number | undefined): string {
  if (untilMs !== undefined) return ` It ends at ${new Date(Math.min(untilMs, 8.64e15)).toISOString()}.`;
  if (retryAfterMs !== undefined) return ` Try again in ${formatDuration(retryAfterMs)}.`;
  return '';
}
