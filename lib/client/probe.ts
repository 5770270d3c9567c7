import { type Clock, systemClock } from '../clock.ts';
import { BcastError } from '../errors.ts';
import type { Events } from '../protocol/messages.ts';
import { generateIdentitySeeds, importIdentity } from '../wire/crypto/identity.ts';
import { createNativeCrypto } from '../wire/crypto/native.ts';
import { PROTOCOL_VERSION } from '../wire/opening.ts';
import { suiteOf } from '../wire/suites.ts';
import { addressKey, type ServerAddress } from './address.ts';
import { type Answer, Connection } from './connection.ts';
import type { ServerIdentity } from './events.ts';
import { openTcp } from './settings.ts';
import { Trustee, type TrustPolicy } from './trust.ts';

/** For each step: the byte pipe, the handshake, the answer. */
const STEP_TIMEOUT_MS = 10_000;

/** What a server is told that has nothing to say about itself to strangers, or does not know the question. */
const SILENCES: readonly string[] = ['NOT_ALLOWED', 'NOT_READY', 'BAD_MESSAGE'];

export interface ProbeOptions {
  readonly address: ServerAddress;
  readonly suite: number;
  readonly trust: TrustPolicy;
  readonly signal: AbortSignal;
  readonly clock?: Clock;
}

/** What anybody can learn of a server from outside. */
export interface Probe {
  readonly address: string;
  readonly fingerprint: string;
  readonly trust: ServerIdentity['trust'] | 'unknown';
  readonly protocolVersion: number;
  readonly suite: number;
  readonly suiteName: string;
  /** How long each step took, in milliseconds: the byte pipe, the handshake, a question and its answer. */
  readonly connectMs: number;
  readonly handshakeMs: number;
  readonly answerMs: number;
  /** Null when the server keeps it to itself. */
  readonly status: Pick<Events['status'], 'server' | 'uptimeMs' | 'users' | 'rooms'> | null;
}

/**
 * Looks at a server without entering it, under an identity made for the occasion, so that nothing is revealed and a server
 * that is not known yet can be looked at too. Rejects with CONNECT_FAILED, SERVER_CHANGED, and what a server refuses with.
 */
export async function probeServer(options: ProbeOptions): Promise<Probe> {
  const { address, suite, clock = systemClock } = options;
  const crypto = createNativeCrypto();
  const startMs = clock.monotonicMs();
  const transport = await step(options, (ends) => openTcp(address, ends, clock));
  const connectedMs = clock.monotonicMs();
  const opening = Promise.withResolvers<void>();
  // Whoever waits is told; nobody may be waiting.
  opening.promise.catch(() => undefined);
  let [fingerprint, trust]: [string, Probe['trust']] = ['', 'unknown'];
  const connection = new Connection(transport, {
    crypto,
    identity: importIdentity(crypto, generateIdentitySeeds(crypto)),
    suite,
    clock,
    trust: (seen) => {
      fingerprint = seen;
      trust = trustIn(options, seen);
    },
    onOpen: opening.resolve,
    onEvent: () => undefined,
    onLost: (error) => opening.reject(beforeOpen(error, address)),
  });
  try {
    await step(options, (ends) => orAborted(opening.promise, ends));
    const openMs = clock.monotonicMs();
    const status = await step(options, (ends) => orAborted(askStatus(connection), ends));
    return {
      address: addressKey(address),
      fingerprint,
      trust,
      protocolVersion: PROTOCOL_VERSION,
      suite,
      suiteName: suiteOf(suite)?.name ?? '',
      connectMs: connectedMs - startMs,
      handshakeMs: openMs - connectedMs,
      answerMs: clock.monotonicMs() - openMs,
      status,
    };
  } finally {
    connection.close();
  }
}

/** Throws SERVER_CHANGED. */
function trustIn({ trust, address }: ProbeOptions, fingerprint: string): Probe['trust'] {
  try {
    return new Trustee({ ...trust, acceptNew: false }, address).decide(fingerprint);
  } catch (error) {
    if (error instanceof BcastError && error.code === 'SERVER_UNKNOWN') return 'unknown';
    throw error;
  }
}

async function askStatus(connection: Connection): Promise<Probe['status']> {
  const answer = await new Promise<Answer | BcastError>((resolve) => connection.send({ type: 'status' }, resolve));
  if (answer instanceof BcastError) {
    if (SILENCES.includes(answer.code)) return null;
    throw answer;
  }
  const told = answer.rows.find((row) => row.type === 'status');
  if (told === undefined) return null;
  const { server, uptimeMs, users, rooms } = told;
  return { server, uptimeMs, users, rooms };
}

async function step<T>(
  { clock = systemClock, signal, address }: ProbeOptions,
  act: (ends: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const timer = clock.after(STEP_TIMEOUT_MS, () => {
    late.abort(new BcastError('CONNECT_FAILED', { text: `${addressKey(address)} does not answer.` }));
  });
  try {
    return await act(AbortSignal.any([signal, late.signal]));
  } finally {
    timer.cancel();
  }
}

function orAborted<T>(promise: Promise<T>, ends: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    if (ends.aborted) reject(ends.reason);
    ends.addEventListener('abort', () => reject(ends.reason), { once: true });
    promise.then(resolve, reject);
  });
}

/** Whoever was never connected has lost nothing; it could not be reached. */
function beforeOpen(error: BcastError, address: ServerAddress): BcastError {
  if (error.code !== 'CONNECTION_LOST') return error;
  const text = `${addressKey(address)} closed the connection before it was set up.`;
  return new BcastError('CONNECT_FAILED', { text, cause: error });
}
