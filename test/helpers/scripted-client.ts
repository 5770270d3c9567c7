import { onTestFinished } from 'vitest';
import { type Client, type ClientEvent, type ConnectOptions, connect } from '../../lib/client/client.ts';
import type { BcastError } from '../../lib/errors.ts';
import { ManualClock } from './manual-clock.ts';
import { newIdentity } from './peer.ts';
import { type ScriptedLine, ScriptedServer, settle } from './scripted-server.ts';

export const identity = newIdentity();

export interface Setup {
  readonly client: Client;
  readonly server: ScriptedServer;
  readonly clock: ManualClock;
  readonly events: ClientEvent[];
  /** What a person would see of the events, in short. */
  told(): string[];
}

/** A client that is online. */
export async function online(server = new ScriptedServer(), over: Partial<ConnectOptions> = {}): Promise<Setup> {
  const clock = new ManualClock();
  const events: ClientEvent[] = [];
  const onEvent = (event: ClientEvent) => void events.push(event);
  const client = await connect({ ...server.connectOptions, user: 'alice', identity, clock, onEvent, ...over });
  onTestFinished(() => client.close());
  return { client, server, clock, events, told: () => events.flatMap(short) };
}

/** The same in the lobby, where `last` messages were said before. */
export async function inLobby(
  last = 0,
  server = new ScriptedServer(),
  over: Partial<ConnectOptions> = {},
): Promise<Setup> {
  const setup = await online(server, over);
  const joining = setup.client.join('lobby');
  const line = await server.line(0);
  line.admit(await line.next('join'), { last });
  await joining;
  setup.events.length = 0;
  return setup;
}

export function short(event: ClientEvent): string[] {
  switch (event.type) {
    case 'message':
      return [`${event.isHistory ? 'h' : ''}${event.from} ${event.seq} ${event.body}`];
    case 'gap':
      return [`gap ${event.first}-${event.last}`];
    case 'status':
      return event.status.state === 'offline' ? [`offline ${event.status.error.code}`] : [event.status.state];
    case 'joined':
      return [event.isRejoin ? 'rejoined' : 'joined'];
    case 'left':
      return [event.error === undefined ? 'left' : `left ${event.error.code}`];
    case 'sent':
      return [`sent ${event.receipt.seq}`];
    case 'slowDown':
      return [`slow ${event.retryAfterMs}`];
    case 'unavailable':
      return [`unavailable ${event.retryAfterMs}`];
    case 'unstored':
      return [`unstored ${event.body}`];
    case 'latency':
      return [];
    default:
      return [event.type];
  }
}

/** Waits out the delay before the next attempt. */
export async function comeBack({ client, clock, server }: Setup, index: number): Promise<ScriptedLine> {
  await settle();
  if (client.status.state !== 'offline') throw new Error(`it is ${client.status.state}, not offline`);
  clock.advance(client.status.retryInMs);
  const line = await server.line(index);
  await settle();
  return line;
}

export async function outcome(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'done',
    (error: BcastError) => error.code,
  );
}
