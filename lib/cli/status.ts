import { addressKey, parseServerUrl, type ServerAddress } from '../client/address.ts';
import { type Probe, probeServer } from '../client/probe.ts';
import { CLIENT_OPTIONS } from '../config/options.ts';
import { formatDuration } from '../duration.ts';
import { toBcastError } from '../errors.ts';
import { print } from './admin.ts';
import type { Output } from './admin-operations.ts';
import { findEndpoint } from './endpoint.ts';
import { listenForStop } from './stop-signals.ts';
import { formatMany, renderFacts } from './table.ts';
import { flagsOf, type Verb } from './verb.ts';

const { server, fingerprint, suite } = CLIENT_OPTIONS;

/** `bcast status`: what anybody can see of a server from outside. */
export const status: Verb = {
  args: [{ name: 'URL', help: 'The server: bcast://HOST[:PORT]' }],
  flags: [
    ...flagsOf({ server, fingerprint, suite }),
    { name: 'json', help: 'As one JSON object, also when the server is not reached.' },
  ],
  examples: [
    ['bcast status chat.example.org', 'is it up, is it the right one, how quick is it'],
    ['bcast status --json | jq .users', 'of your own on this machine, for programs'],
  ],
  notes: `The server learns nothing of you: no name is taken, and the key is made for this once. It says of itself what its
operator allows (public-status). Exit codes: 0 it is up; 3 it is not; 6 its key is not the one it should be.`,
  async run(input) {
    const { connect } = findEndpoint(input, input.args[0]);
    const isJson = input.flags['json'] !== undefined;
    const address = typeof connect.server === 'string' ? parseServerUrl(connect.server) : connect.server;
    const stop = listenForStop();
    try {
      const { trust = {}, suite: wanted = suite.fallback } = connect;
      print(report(await probeServer({ address, trust, suite: wanted, signal: stop.signal })), isJson);
      return 0;
    } catch (error) {
      if (stop.exitCode !== undefined) return stop.exitCode;
      if (isJson) print(failure(address, error), true);
      throw error;
    } finally {
      stop.release();
    }
  },
};

const TRUST: Readonly<Record<Probe['trust'], string>> = {
  pinned: 'as demanded',
  local: 'yours, on this machine',
  known: 'known',
  accepted: 'known',
  unknown: 'not known yet',
};

function report({ status: told, ...probe }: Probe): Output {
  const { address, trust, protocolVersion, suiteName } = probe;
  const text = renderFacts([
    ['server', `${address} is up${told === null ? '' : `: ${told.server}`}`],
    ['fingerprint', `${probe.fingerprint} (${TRUST[trust]})`],
    ['encryption', `protocol ${protocolVersion}, suite ${probe.suite}: ${suiteName}`],
    [
      'latency',
      `${ms(probe.connectMs)} to connect, ${ms(probe.handshakeMs)} to shake hands, ${ms(probe.answerMs)} to answer`,
    ],
    ...factsOf(told),
  ]);
  const { server: name, uptimeMs, users, rooms } = told ?? { server: null, uptimeMs: null, users: null, rooms: null };
  return { text, json: [{ ok: true, ...probe, ...latencies(probe), server: name, uptimeMs, users, rooms }] };
}

/** To a tenth of a millisecond: the rest is noise. */
function latencies({ connectMs, handshakeMs, answerMs }: Omit<Probe, 'status'>) {
  const rounded = (value: number): number => Math.round(value * 10) / 10;
  return { connectMs: rounded(connectMs), handshakeMs: rounded(handshakeMs), answerMs: rounded(answerMs) };
}

function factsOf(told: Probe['status']): [string, string][] {
  const facts: [string, string][] = [];
  if (told?.uptimeMs != null) facts.push(['running', `for ${formatDuration(told.uptimeMs)}`]);
  if (told?.users != null && told.rooms != null) {
    facts.push(['people', `${formatMany(told.users, 'user')} in ${formatMany(told.rooms, 'room')}`]);
  }
  return facts;
}

function failure(address: ServerAddress, thrown: unknown): Output {
  const { code, message } = toBcastError(thrown);
  return { text: [], json: [{ ok: false, address: addressKey(address), error: code, text: message }] };
}

function ms(value: number): string {
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}
