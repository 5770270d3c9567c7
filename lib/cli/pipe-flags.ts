import type { PipeOptions, PipeOutput } from '../client/pipe/options.ts';
import type { InputForm } from '../client/pipe/outgoing.ts';
import { duration, integer, type OptionKind } from '../config/kinds.ts';
import { BcastError } from '../errors.ts';
import type { Flag, VerbInput } from './verb.ts';

const DRAIN_TIMEOUT_MS = 10_000;
/** A duration has a unit, a seq has none. */
const SEQ = /^\d+$/;

export const INPUT_FLAGS: readonly Flag[] = [
  { name: 'to', placeholder: 'NAME', help: 'Send to this person instead of a room.' },
  { name: 'keep-empty', help: 'Send empty lines too.' },
  { name: 'message', help: 'Send all of stdin as one message.', conflicts: ['null', 'ndjson'] },
  { name: 'null', help: 'Messages end with a NUL instead of a newline.', conflicts: ['ndjson'] },
  { name: 'ndjson', help: 'Each line is an object: body, and if need be room, to, kind, id.' },
  { name: 'receipts', help: 'Print {seq,id,room,ts} for each message that was stored.' },
  { name: 'drain-timeout', placeholder: 'DURATION', help: 'Give up when nothing is acknowledged for so long. [10s]' },
];

export const OUTPUT_FLAGS: readonly Flag[] = [
  { name: 'json', help: 'One JSON object for each message.', conflicts: ['raw'] },
  { name: 'raw', help: 'Bodies only, exactly as they were sent.', conflicts: ['events'] },
  { name: 'events', help: 'Show joins, leaves and the like too.' },
  { name: 'count', short: 'n', placeholder: 'N', help: 'End after N messages.' },
  { name: 'idle', placeholder: 'DURATION', help: 'End after so long without a message.' },
  { name: 'since', placeholder: 'SEQ|DURATION', help: 'Begin after message SEQ, or so long ago.' },
  { name: 'last', placeholder: 'N', help: 'Begin with the last N messages.' },
  { name: 'no-follow', help: 'End when the history has been printed.' },
];

export const COMMON_FLAGS: readonly Flag[] = [
  { name: 'timeout', placeholder: 'DURATION', help: 'End after so long, with exit code 10.' },
  { name: 'quiet', short: 'q', help: 'Say nothing about the connection on stderr.' },
];

type CommonOptions = Pick<
  PipeOptions,
  'keepEmpty' | 'receipts' | 'drainTimeoutMs' | 'count' | 'timeoutMs' | 'idleMs' | 'isQuiet'
>;

/** What the flags of all three verbs say about limits and form. Throws CONFIG naming the flag. */
export function commonOptions(input: VerbInput): CommonOptions {
  const { flags } = input;
  return {
    keepEmpty: flags['keep-empty'] !== undefined,
    receipts: flags['receipts'] !== undefined,
    drainTimeoutMs: flagValue(input, 'drain-timeout', duration()) ?? DRAIN_TIMEOUT_MS,
    count: flagValue(input, 'count', integer(1, Number.MAX_SAFE_INTEGER)),
    timeoutMs: flagValue(input, 'timeout', duration()),
    idleMs: flagValue(input, 'idle', duration()),
    isQuiet: flags['quiet'] !== undefined,
  };
}

export function inputForm({ flags }: VerbInput): InputForm {
  if (flags['message'] !== undefined) return 'whole';
  if (flags['null'] !== undefined) return 'null';
  return flags['ndjson'] === undefined ? 'lines' : 'ndjson';
}

export function outputOptions(input: VerbInput): PipeOutput {
  const { flags } = input;
  const follow = flags['no-follow'] === undefined;
  return {
    form: flags['json'] !== undefined ? 'json' : flags['raw'] !== undefined ? 'raw' : 'text',
    events: flags['events'] !== undefined,
    backlog: backlogOf(input, follow),
    follow,
  };
}

/** Without --since and --last nothing that is past is shown, unless nothing else is wanted. */
function backlogOf(input: VerbInput, follow: boolean): PipeOutput['backlog'] {
  const since = input.flags['since'];
  const last = flagValue(input, 'last', integer(0, Number.MAX_SAFE_INTEGER));
  if (since === undefined && last === undefined) return follow ? null : {};
  if (since === undefined) return { last: last as number };
  const start = SEQ.test(since)
    ? { sinceSeq: flagValue(input, 'since', integer(0, Number.MAX_SAFE_INTEGER)) as number }
    : { sinceMs: flagValue(input, 'since', duration()) as number };
  return last === undefined ? start : { ...start, last };
}

function flagValue<T>({ flags }: VerbInput, name: string, kind: OptionKind<T>): T | undefined {
  const raw = flags[name];
  if (raw === undefined) return undefined;
  const value = kind.parse(raw);
  if (value !== null) return value;
  throw new BcastError('CONFIG', { text: `--${name} must be ${kind.rule}, not ${JSON.stringify(raw)}.` });
}
