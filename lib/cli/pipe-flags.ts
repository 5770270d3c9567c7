import type { OutputForm } from '../client/pipe/format.ts';
import type { PipeBacklog, PipeOptions, PipeOutput } from '../client/pipe/options.ts';
import type { InputForm } from '../client/pipe/outgoing.ts';
import type { PipeSearch } from '../client/pipe/search.ts';
import { duration, integer, type OptionKind } from '../config/kinds.ts';
import { BcastError } from '../errors.ts';
import type { Flag, VerbInput } from './verb.ts';

const DRAIN_TIMEOUT_MS = 10_000;
/** Messages that a search shows unless more are asked for, and the most that may be. */
const SEARCH_LIMIT = 50;
const MAX_SEARCH_LIMIT = 10_000;
/** A duration has a unit, a seq has none. */
const SEQ = /^\d+$/;
const SEQS = integer(0, Number.MAX_SAFE_INTEGER);

export const INPUT_FLAGS: readonly Flag[] = [
  { name: 'to', placeholder: 'NAME', help: 'Send to this person instead of a room.' },
  { name: 'keep-empty', help: 'Send empty lines too.' },
  { name: 'message', help: 'Send all of stdin as one message.', conflicts: ['null', 'ndjson'] },
  { name: 'null', help: 'Messages end with a NUL instead of a newline.', conflicts: ['ndjson'] },
  { name: 'ndjson', help: 'Each line is an object: body, and if need be room, to, kind, id.' },
  { name: 'receipts', help: 'Print {seq,id,room,ts} for each message that was stored.' },
  { name: 'drain-timeout', placeholder: 'DURATION', help: 'Give up when nothing is acknowledged for so long. [10s]' },
];

const JSON_FLAG: Flag = { name: 'json', help: 'One JSON object for each message.', conflicts: ['raw'] };
const RAW_FLAG: Flag = { name: 'raw', help: 'Bodies only, exactly as they were sent.', conflicts: ['events'] };
const SINCE_FLAG: Flag = {
  name: 'since',
  placeholder: 'SEQ|DURATION',
  help: 'Begin after message SEQ, or so long ago.',
};
const LAST_FLAG: Flag = { name: 'last', placeholder: 'N', help: 'Begin with the last N messages.' };
const BEFORE_FLAG: Flag = { name: 'before', placeholder: 'SEQ', help: 'Only what came before message SEQ.' };

export const OUTPUT_FLAGS: readonly Flag[] = [
  JSON_FLAG,
  RAW_FLAG,
  { name: 'events', help: 'Show joins, leaves and the like too.' },
  { name: 'count', short: 'n', placeholder: 'N', help: 'End after N messages.' },
  { name: 'idle', placeholder: 'DURATION', help: 'End after so long without a message.' },
  SINCE_FLAG,
  LAST_FLAG,
  { name: 'no-follow', help: 'End when the history has been printed.' },
];

export const HISTORY_FLAGS: readonly Flag[] = [JSON_FLAG, RAW_FLAG, SINCE_FLAG, LAST_FLAG, BEFORE_FLAG];

export const SEARCH_FLAGS: readonly Flag[] = [
  JSON_FLAG,
  RAW_FLAG,
  { ...LAST_FLAG, help: `Show the newest N that were found. [${SEARCH_LIMIT}]` },
  BEFORE_FLAG,
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
  return { form: outputForm(input), events: flags['events'] !== undefined, backlog: backlogOf(input, follow), follow };
}

/** What `history` prints: what is past, and nothing else. */
export function historyOptions(input: VerbInput): PipeOutput {
  const beforeSeq = flagValue(input, 'before', SEQS);
  const backlog = { ...backlogOf(input, false), ...(beforeSeq !== undefined && { beforeSeq }) };
  return { form: outputForm(input), events: false, backlog, follow: false };
}

/** What `search` looks for. */
export function searchOptions(input: VerbInput, words: string): PipeSearch {
  return {
    words,
    form: outputForm(input),
    limit: flagValue(input, 'last', integer(1, MAX_SEARCH_LIMIT)) ?? SEARCH_LIMIT,
    beforeSeq: flagValue(input, 'before', SEQS),
  };
}

function outputForm({ flags }: VerbInput): OutputForm {
  if (flags['json'] !== undefined) return 'json';
  return flags['raw'] === undefined ? 'text' : 'raw';
}

/** Without --since and --last nothing that is past is shown, unless nothing else is wanted. */
function backlogOf(input: VerbInput, follow: boolean): PipeBacklog | null {
  const since = input.flags['since'];
  const last = flagValue(input, 'last', SEQS);
  if (since === undefined && last === undefined) return follow ? null : {};
  if (since === undefined) return { last: last as number };
  const start = SEQ.test(since)
    ? { sinceSeq: flagValue(input, 'since', SEQS) as number }
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
