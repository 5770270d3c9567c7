import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { RoomName, UserName } from '../../lib/protocol/names.ts';
import { enterPeer, newIdentity, newMessageId, openPeer, type Peer } from '../helpers/peer.ts';
import { scratchDir } from '../helpers/scratch-dir.ts';
import { startServer } from '../helpers/server.ts';

const PASSWORD = 'planted-password-7391';
const WRONG_PASSWORD = 'planted-wrong-password-7392';
const BODY = 'planted-body-7393';
const PRIVATE = 'planted-private-7394';
const PUBLISHED = 'planted-published-7395';
const WRONG_CODE = 'Q7W8X';
const VAULT = 'vault' as RoomName;

/** Everything a session can be made to say that it must not tell. */
async function busySession(port: number): Promise<{ readonly code: string; readonly fresh: string }> {
  const alice = await enterPeer('alice', { port });
  await alice.ask({ type: 'register', password: PASSWORD });
  const made = await alice.ask({ type: 'join', room: VAULT, watch: true, code: null, create: 'locked' });
  expect(made.type).toBe('ok');
  const code = alice.seen('joined')[0]?.code as string;
  const bob = await enterPeer('bob', { port });
  await bob.ask({ type: 'join', room: VAULT, watch: true, code: WRONG_CODE, create: null });
  await bob.ask({ type: 'join', room: VAULT, watch: true, code, create: null });
  await alice.ask({ type: 'invite', room: VAULT, name: 'bob' as UserName, code });
  await talk(alice, bob);
  await alice.ask({ type: 'code', room: VAULT });
  const fresh = (await alice.nextOf('code')).code;
  const laptop = await enterPeer('alice', { port, password: PASSWORD, identity: newIdentity() });
  await laptop.ask({ type: 'join', room: VAULT, watch: false, code: fresh, create: null });
  await (await openPeer({ port })).ask({
    type: 'hello',
    name: 'alice' as UserName,
    agent: 'test',
    password: WRONG_PASSWORD,
  });
  return { code, fresh };
}

async function talk(alice: Peer, bob: Peer): Promise<void> {
  await alice.say('vault', BODY);
  await alice.ask({ type: 'tell', id: newMessageId(), to: 'bob' as UserName, kind: 'text', body: PRIVATE });
  await bob.ask({ type: 'follow', name: 'alice' as UserName, on: true });
  await alice.ask({ type: 'publish', id: newMessageId(), kind: 'text', body: PUBLISHED });
  await bob.ask({ type: 'search', room: VAULT, words: BODY, before: null, limit: 5 });
}

/** The secrets in a key file, as they stand there and as bytes in hexadecimal. */
function secretsOf(keyFile: string): readonly string[] {
  const secrets = [...keyFile.matchAll(/^(?:signing-seed|static-secret) (\S+)$/gm)].map(([, text]) => text as string);
  expect(secrets).toHaveLength(2);
  return secrets.flatMap((text) => [text, Buffer.from(text, 'base64').toString('hex')]);
}

test('neither the log nor the store holds a password, a code or a key, and the log nothing that was said', async () => {
  const dataDir = scratchDir();
  const server = await startServer({ dataDir, store: 'sqlite', logLevel: 'trace' });
  const { code, fresh } = await busySession(server.port);
  await server.stop();
  const keys = secretsOf(readFileSync(join(dataDir, 'server_key'), 'utf8'));
  const never = [PASSWORD, WRONG_PASSWORD, WRONG_CODE, code, fresh, ...keys];
  const log = server.log.text;
  expect(log).toContain('room code rotated');
  for (const secret of [...never, BODY, PRIVATE, PUBLISHED]) expect(log.includes(secret), `log: ${secret}`).toBe(false);
  const stored = readdirSync(dataDir).filter((name) => name !== 'server_key');
  const store = stored.map((name) => readFileSync(join(dataDir, name), 'latin1')).join();
  // The store is where what was said in rooms is kept, so the search would find what is there.
  expect(store.includes(BODY)).toBe(true);
  for (const secret of [...never, PRIVATE, PUBLISHED]) expect(store.includes(secret), `store: ${secret}`).toBe(false);
});
