import { type BcastError, ERRORS } from '../../errors.ts';
import { MAX_REASON_BYTES } from '../../limits.ts';
import type { Events } from '../../protocol/messages.ts';

/** The error as the client is told it. What is our own fault is told without its words, which may hold anything. */
export function errorEvent(error: BcastError, req: number | null): Events['error'] {
  const row = ERRORS[error.code];
  const isOurs = row.scope === 'internal' || row.wire === null;
  return {
    type: 'error',
    req,
    code: isOurs ? ERRORS.INTERNAL.wire : row.wire,
    text: isOurs ? ERRORS.INTERNAL.message : error.message.slice(0, MAX_REASON_BYTES / 3),
    retryAfterMs: error.retryAfterMs ?? null,
    untilMs: error.untilMs ?? null,
  };
}
