import { connect } from 'node:net';
import { systemClock } from '../clock.ts';
import type { Directories } from '../config/directories.ts';
import { type LocalServer, localServers } from '../config/local-server.ts';
import { BcastError, ERRORS, type ErrorCode } from '../errors.ts';
import type { Answer } from '../server/admin/answer.ts';
import type { OperationArguments, OperationName, OperationResult } from '../server/admin/operations.ts';
import type { Flag } from './verb.ts';

/** 10,000 sessions are about 3 MB. */
const MAX_ANSWER_BYTES = 67_108_864;
const PATIENCE_MS = 30_000;
/** What takes as long as it takes. */
const PATIENT: readonly OperationName[] = ['backup'];

/** How to say which of several servers is meant. */
export const WHICH_FLAGS: readonly Flag[] = [
  { name: 'port', short: 'p', placeholder: 'N', help: 'The server on that port, when several run here.' },
  { name: 'pid', placeholder: 'N', help: 'The server that is that process, when several share a port.' },
];

type Flags = Readonly<Record<string, string | undefined>>;

/** The one server of this account that is meant. Throws CONNECT_FAILED when there is none, USAGE when there are several. */
export function findServer({ port, pid }: Flags, directories: Directories): LocalServer {
  const all = localServers(directories);
  const meant = all.filter(
    (server) =>
      (port ?? String(server.port)) === String(server.port) && (pid ?? String(server.pid)) === String(server.pid),
  );
  const [only, ...others] = meant;
  if (only === undefined) throw new BcastError('CONNECT_FAILED', { text: noneText(all) });
  if (others.length > 0) {
    throw new BcastError('USAGE', {
      text: `Several of your servers run here, ${placesOf(meant)}: say which by --port or --pid.`,
    });
  }
  return only;
}

function noneText(all: readonly LocalServer[]): string {
  return all.length === 0
    ? 'None of your servers runs on this machine. Only the account that started one can ask it.'
    : `Your servers on this machine are ${placesOf(all)}; none is the one you named.`;
}

function placesOf(servers: readonly LocalServer[]): string {
  return servers.map(({ port, pid }) => `port ${port} (pid ${pid})`).join(', ');
}

/**
 * Asks a server over its admin socket. Rejects with what it answers, and with CONNECT_FAILED, CONNECTION_LOST and TIMEOUT
 * when it does not.
 */
export async function askServer<N extends OperationName>(
  server: LocalServer,
  op: N,
  args: OperationArguments<N>,
): Promise<OperationResult<N>> {
  if (server.adminSocket === null) {
    throw new BcastError('CONNECT_FAILED', {
      text: `The server on port ${server.port} has no admin socket; its log says why.`,
    });
  }
  const line = await exchange(server.adminSocket, JSON.stringify({ op, ...args }), PATIENT.includes(op));
  const answer = JSON.parse(line) as Answer;
  if (answer.ok) return answer.result as OperationResult<N>;
  const { code, text, retryAfterMs, untilMs } = answer.error;
  throw new BcastError(code in ERRORS ? code : ('INTERNAL' satisfies ErrorCode), {
    text,
    retryAfterMs: retryAfterMs ?? undefined,
    untilMs: untilMs ?? undefined,
  });
}

/** Sends one line and resolves to the one that comes back. */
function exchange(path: string, line: string, isPatient: boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const socket = connect({ path });
    const fail = (error: BcastError): void => {
      socket.destroy();
      reject(error);
    };
    const timer = isPatient
      ? undefined
      : systemClock.after(PATIENCE_MS, () => fail(new BcastError('TIMEOUT', { text: 'The server does not answer.' })));
    socket.on('connect', () => socket.end(`${line}\n`));
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > MAX_ANSWER_BYTES) fail(new BcastError('BAD_MESSAGE', { text: 'The answer is too long.' }));
    });
    socket.on('error', (cause: NodeJS.ErrnoException) => {
      const text = `The server's admin socket ${path} cannot be used (${cause.code}).`;
      fail(new BcastError('CONNECT_FAILED', { text, cause }));
    });
    socket.on('close', () => {
      timer?.cancel();
      const text = Buffer.concat(chunks).toString('utf8');
      if (text.endsWith('\n')) resolve(text);
      else fail(new BcastError('CONNECTION_LOST', { text: 'The server closed the connection without an answer.' }));
    });
  });
}
