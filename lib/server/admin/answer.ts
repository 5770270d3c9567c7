import { BcastError, type ErrorCode, toBcastError } from '../../errors.ts';
import type { AdminContext } from './context.ts';
import { perform } from './operations.ts';

/** What stands in the line that answers a request. */
export type Answer =
  | { readonly ok: true; readonly result: unknown }
  | {
      readonly ok: false;
      readonly error: {
        readonly code: ErrorCode;
        readonly text: string;
        readonly retryAfterMs: number | null;
        readonly untilMs: number | null;
      };
    };

/** Answers a line of JSON, `{"op": ..., ...arguments}`, with one. Never rejects; what is our own fault goes to the log. */
export async function answerLine(context: AdminContext, line: string): Promise<string> {
  try {
    const result = await perform(context, parse(line));
    return encode({ ok: true, result: result ?? null });
  } catch (thrown) {
    const error = toBcastError(thrown);
    if (error.code === 'INTERNAL') context.hub.log.error({ err: error.cause ?? error }, 'admin operation failed');
    const { code, message, retryAfterMs = null, untilMs = null } = error;
    return encode({ ok: false, error: { code, text: message, retryAfterMs, untilMs } });
  }
}

function parse(line: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw new BcastError('BAD_REQUEST', { text: 'A request is one JSON object in one line.' });
}

function encode(answer: Answer): string {
  return JSON.stringify(answer);
}
