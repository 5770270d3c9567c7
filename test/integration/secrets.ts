import { expect } from 'vitest';
import type { RoomName, UserName } from '../../lib/protocol/names.ts';
import { enterPeer, newIdentity, newMessageId, openPeer, type Peer } from '../helpers/peer.ts';

export const PASSWORD = 'planted-password-7391';
export const WRONG_PASSWORD = 'planted-wrong-password-7392';
export const BODY = 'planted-body-7393';
export const PRIVATE = 'planted-private-7394';
export const PUBLISHED = 'planted-published-7395';
export const WRONG_CODE = 'PLANTED-CODE-7396';

/** Several, so that five characters found by chance in some binary are not taken for a leak: it would show all of a kind. */
const VAULTS = ['vault-1', 'vault-2', 'vault-3'] as RoomName[];

/** Codes of rooms by what the server did with them. */
export interface Codes {
  readonly made: readonly string[];
  readonly rotated: readonly string[];
  /** Also told to somebody by another, by way of the server. */
  readonly invited: readonly string[];
}

/** Everything a session can be made to say that must not be told on; alice on one port, bob on another or the same. */
export async function busySession(port: number, otherPort = port): Promise<Codes> {
  const alice = await enterPeer('alice', { port });
  await alice.ask({ type: 'register', password: PASSWORD });
  const bob = await enterPeer('bob', { port: otherPort });
  const made: string[] = [];
  const rotated: string[] = [];
  for (const room of VAULTS) {
    made.push(await makeLocked(alice, room));
    await bob.ask({ type: 'join', room, watch: true, code: WRONG_CODE, create: null });
    await bob.ask({ type: 'join', room, watch: true, code: made.at(-1) as string, create: null });
    await alice.ask({ type: 'code', room });
    const { code } = await alice.nextOf('code', (event) => event.room === room);
    rotated.push(code);
  }
  const invited = await invite(alice, bob, ['party-1', 'party-2', 'party-3'] as RoomName[]);
  await talk(alice, bob);
  const laptop = await enterPeer('alice', { port: otherPort, password: PASSWORD, identity: newIdentity() });
  const code = rotated[0] as string;
  await laptop.ask({ type: 'join', room: VAULTS[0] as RoomName, watch: false, code, create: null });
  await (await openPeer({ port })).ask({
    type: 'hello',
    name: 'alice' as UserName,
    agent: 'test',
    password: WRONG_PASSWORD,
  });
  return { made, rotated, invited };
}

async function makeLocked(peer: Peer, room: RoomName): Promise<string> {
  await peer.ask({ type: 'join', room, watch: true, code: null, create: 'locked' });
  return (await peer.nextOf('joined', (event) => event.room === room)).code as string;
}

async function invite(alice: Peer, bob: Peer, rooms: readonly RoomName[]): Promise<string[]> {
  const codes: string[] = [];
  for (const room of rooms) {
    const code = await makeLocked(alice, room);
    await alice.ask({ type: 'invite', room, name: 'bob' as UserName, code });
    await bob.nextOf('invited', (event) => event.code === code);
    codes.push(code);
  }
  return codes;
}

async function talk(alice: Peer, bob: Peer): Promise<void> {
  await alice.say('vault-1', BODY);
  await alice.ask({ type: 'tell', id: newMessageId(), to: 'bob' as UserName, kind: 'text', body: PRIVATE });
  await bob.nextOf('private');
  await bob.ask({ type: 'follow', name: 'alice' as UserName, on: true });
  await alice.ask({ type: 'publish', id: newMessageId(), kind: 'text', body: PUBLISHED });
  await bob.nextOf('published');
  await bob.ask({ type: 'search', room: 'vault-1' as RoomName, words: BODY, before: null, limit: 5 });
}

/** The secrets in a key file: as they stand there, in hexadecimal, and as bytes in latin1. */
export function secretsOf(keyFile: string): readonly string[] {
  const secrets = [...keyFile.matchAll(/^(?:signing-seed|static-secret) (\S+)$/gm)].map(([, text]) => text as string);
  expect(secrets).toHaveLength(2);
  return secrets.flatMap((text) => {
    const bytes = Buffer.from(text, 'base64');
    return [text, bytes.toString('hex'), bytes.toString('latin1')];
  });
}

/** What stands in `text`, and in whatever looks like base64 there. */
function laidOpen(text: string): string {
  const runs = text.match(/[A-Za-z0-9+/]{12,}={0,2}/g) ?? [];
  // Where in a group of four such a run begins is not known.
  const decoded = runs.flatMap((run) => [0, 1, 2, 3].map((from) => Buffer.from(run.slice(from), 'base64')));
  return `${text}\n${decoded.map((bytes) => bytes.toString('latin1')).join('\n')}`;
}

/** Fails for a secret in `text`, and for codes of a kind of which more than one is there. */
export function expectUntold(
  text: string,
  where: string,
  never: readonly string[],
  codes: readonly (readonly string[])[],
) {
  const seen = laidOpen(text);
  for (const secret of never) expect(seen.includes(secret), `${where}: ${secret}`).toBe(false);
  for (const kind of codes) {
    expect(kind).toHaveLength(VAULTS.length);
    const told = kind.filter((code) => seen.includes(code));
    expect(told.length, `${where}: ${told.join(' ')}`).toBeLessThan(2);
  }
}
