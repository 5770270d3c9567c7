import { formatDuration, formatExactDuration, parseDuration } from '../duration.ts';
import { BcastError } from '../errors.ts';
import type { OperationArguments, OperationName, OperationResult } from '../server/admin/operations.ts';
import { formatBytes, formatCount, formatMany, formatMoment, renderFacts, renderTable } from './table.ts';
import type { VerbInput } from './verb.ts';

/** What an operation prints, each line without its end. */
export interface Output {
  readonly text: readonly string[];
  /** One object a line, for programs. */
  readonly json: readonly unknown[];
  /** 0 when it is absent. */
  readonly exitCode?: number;
}

/** Asks the server that is meant. */
export type Asker = <N extends OperationName>(op: N, args: OperationArguments<N>) => Promise<OperationResult<N>>;

/** One word behind `bcast admin`. */
export interface AdminOperation {
  /** What follows the word. */
  readonly usage: string;
  readonly summary: string;
  readonly examples: readonly (readonly [command: string, effect: string])[];
  /** Throws USAGE. */
  run(ask: Asker, words: readonly string[], flags: VerbInput['flags']): Promise<Output>;
}

/** In the order in which help lists them. */
export const ADMIN_OPERATIONS: Readonly<Record<string, AdminOperation>> = {
  status: {
    usage: '',
    summary: 'How the server is.',
    examples: [['bcast admin status', 'how your server on this machine is']],
    async run(ask) {
      const status = await ask('status', {});
      return { text: statusText(status), json: [status] };
    },
  },
  rooms: {
    usage: '',
    summary: 'Its rooms, the largest first.',
    examples: [['bcast admin rooms --limit 10', 'the ten largest rooms']],
    async run(ask, _words, flags) {
      const { rows, total } = await ask('rooms', { limit: limitOf(flags) });
      const text = renderTable(
        [
          { title: 'ROOM', text: ({ room }) => room },
          { title: 'USERS', text: ({ users }) => formatCount(users), isNumber: true },
          { title: 'SESSIONS', text: ({ sessions }) => formatCount(sessions), isNumber: true },
          { title: 'LAST SEQ', text: ({ lastSeq }) => formatCount(lastSeq), isNumber: true },
          { title: 'BANS', text: ({ bans }) => formatCount(bans), isNumber: true },
          { title: 'OWNER', text: ({ owner }) => owner ?? '' },
          { title: 'TOPIC', text: ({ topic }) => topic ?? '' },
        ],
        rows,
      );
      return { text: [...text, ...rest(rows.length, total)], json: rows };
    },
  },
  sessions: {
    usage: '',
    summary: 'Who is connected, those who came first on top.',
    examples: [['bcast admin sessions --json | jq -r .address', 'for programs']],
    async run(ask, _words, flags) {
      const { rows, total } = await ask('sessions', { limit: limitOf(flags) });
      const text = renderTable(
        [
          { title: 'USER', text: ({ user }) => user ?? '' },
          { title: 'ADDRESS', text: ({ address }) => address },
          { title: 'FOR', text: ({ ageMs }) => formatDuration(ageMs), isNumber: true },
          { title: 'SILENT', text: ({ silentMs }) => formatDuration(silentMs), isNumber: true },
          { title: 'ROOMS', text: ({ rooms }) => formatCount(rooms), isNumber: true },
          { title: 'WAITING', text: ({ waitingBytes }) => formatBytes(waitingBytes), isNumber: true },
          { title: 'PROGRAM', text: ({ agent }) => agent ?? '' },
          { title: 'FINGERPRINT', text: ({ fingerprint }) => fingerprint ?? '' },
        ],
        rows,
      );
      return { text: [...text, ...rest(rows.length, total)], json: rows };
    },
  },
  bans: {
    usage: '',
    summary: 'Who is banned from the server.',
    examples: [['bcast admin bans', 'who is banned, by whom and until when']],
    async run(ask) {
      const rows = await ask('bans', {});
      const text = renderTable(
        [
          { title: 'TARGET', text: ({ target }) => target },
          { title: 'UNTIL', text: ({ untilMs }) => untilText(untilMs) },
          { title: 'BY', text: ({ by }) => by },
          { title: 'REASON', text: ({ reason }) => reason ?? '' },
        ],
        rows,
      );
      return { text: rows.length === 0 ? ['Nobody is banned.'] : text, json: rows };
    },
  },
  audit: {
    usage: '',
    summary: 'What moderators, admins and you did, the newest first.',
    examples: [['bcast admin audit --limit 20', 'the last 20 acts']],
    async run(ask, _words, flags) {
      const entries = await ask('audit', { limit: limitOf(flags) });
      const text = entries.map(({ ts, by, fp: _fp, action, ...details }) => {
        const facts = Object.entries(details).filter(([, value]) => value !== null);
        return [formatMoment(ts), by, action, ...facts.map(factText)].join('  ');
      });
      return { text: entries.length === 0 ? ['Nothing is recorded.'] : text, json: entries };
    },
  },
  kick: {
    usage: 'USER [REASON...]',
    summary: 'Close all sessions of a user. The way back stays open.',
    examples: [['bcast admin kick mallory that is enough', 'off the server, with a reason']],
    async run(ask, [user, ...reason]) {
      if (user === undefined) throw usage('kick');
      const kicked = await ask('kick', { user, reason: textOf(reason) });
      return { text: [`${kicked.user} was removed.`], json: [kicked] };
    },
  },
  ban: {
    usage: 'TARGET [DURATION] [REASON...]',
    summary: 'Keep a name, an address or a fingerprint out; without a duration, for good.',
    examples: [
      ['bcast admin ban 203.0.113.7 2h flooding', 'an address, for two hours'],
      ['bcast admin ban mallory', 'a name, and the identity that has it, for good'],
    ],
    async run(ask, [target, ...words]) {
      if (target === undefined) throw usage('ban');
      const durationMs = parseDuration(words[0] ?? '');
      const reason = textOf(durationMs === null ? words : words.slice(1));
      const ban = await ask('ban', { target, durationMs, reason });
      return { text: [`${ban.target} is banned ${untilText(ban.untilMs)}.`], json: [ban] };
    },
  },
  unban: {
    usage: 'TARGET',
    summary: 'Lift a ban, named as bans lists it; let in an address again that gave too many wrong passwords.',
    examples: [['bcast admin unban 203.0.113.7', 'let it in again']],
    async run(ask, [target, ...more]) {
      if (target === undefined || more.length > 0) throw usage('unban');
      await ask('unban', { target });
      return { text: [`The ban of ${target} is lifted.`], json: [{ target }] };
    },
  },
};

function usage(name: string): BcastError {
  return new BcastError('USAGE', { text: `It is: bcast admin ${name} ${ADMIN_OPERATIONS[name]?.usage}` });
}

function textOf(words: readonly string[]): string | null {
  return words.length === 0 ? null : words.join(' ');
}

function limitOf({ limit }: VerbInput['flags']): number | null {
  if (limit === undefined) return null;
  if (/^\d{1,5}$/.test(limit) && Number(limit) <= 10_000) return Number(limit);
  throw new BcastError('USAGE', { text: '--limit must be a whole number up to 10000.' });
}

function factText([key, value]: readonly [string, unknown]): string {
  return key === 'untilMs' && typeof value === 'number' ? untilText(value) : `${key}=${value}`;
}

function untilText(untilMs: number | null): string {
  return untilMs === null ? 'for good' : `until ${formatMoment(untilMs)}`;
}

function rest(shown: number, total: number): string[] {
  return total > shown ? [`... and ${formatCount(total - shown)} more; --limit N shows more of them.`] : [];
}

function outageFacts({ outage }: OperationResult<'status'>): [string, string][] {
  if (outage === null) return [];
  return [['storage', `OUT OF REACH since ${formatMoment(outage.sinceMs)}: ${outage.reason}. What is said waits.`]];
}

function statusText(status: OperationResult<'status'>): string[] {
  const { server, pid, node, host, port, fingerprint, startedMs, uptimeMs } = status;
  const { users, sessions, connections, rooms, occupiedRooms, bans, memoryBytes } = status;
  return renderFacts([
    ['server', `${server} (pid ${pid}, Node ${node})`],
    ['listens on', `${host.includes(':') ? `[${host}]` : host}:${port}`],
    ['fingerprint', fingerprint],
    ['running', `for ${formatDuration(uptimeMs)}, since ${formatMoment(startedMs)}`],
    ['people', `${formatMany(users, 'user')} in ${formatMany(sessions, 'session')}`],
    ['connections', formatCount(connections)],
    ['rooms', `${formatCount(occupiedRooms)} with members, ${formatCount(rooms)} in all`],
    ['bans', formatCount(bans)],
    [
      'history',
      `${formatMany(status.historyMessages, 'message')} a room, for ${formatExactDuration(status.historyAgeMs)}`,
    ],
    ['memory', formatBytes(memoryBytes)],
    ...outageFacts(status),
  ]);
}
