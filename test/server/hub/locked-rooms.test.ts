import { describe, expect, test } from 'vitest';
import { ERRORS } from '../../../lib/errors.ts';
import type { RoomName } from '../../../lib/protocol/names.ts';
import type { Ask } from '../../helpers/peer.ts';
import { fingerprintOf, type Guest, HubHarness } from './harness.ts';

const VAULT = 'vault' as RoomName;
const join = (code: string | null, create: 'open' | 'locked' | null = null): Ask => ({
  type: 'join',
  room: VAULT,
  watch: true,
  code,
  create,
});
const badCode = { type: 'error', code: ERRORS.BAD_CODE.wire };

async function withVault(options = {}) {
  const harness = new HubHarness(options);
  const [alice, bob] = [await harness.enter('alice'), await harness.enter('bob')];
  expect(await alice.ask(join(null, 'locked'))).toMatchObject({ type: 'ok' });
  return { harness, alice, bob, code: alice.seen('joined')[0]?.code as string };
}

async function errorOf(guest: Guest, ask: Ask): Promise<number | undefined> {
  const answer = await guest.ask(ask);
  return answer.type === 'error' ? answer.code : undefined;
}

describe('a locked room', () => {
  test('tells its code to who made it, once, and to nobody else', async () => {
    const { alice, bob, code } = await withVault();
    expect(code).toBe('CODE1');
    expect(alice.seen('joined')[0]).toMatchObject({ access: 'locked', role: 'owner', owner: 'alice' });
    await alice.ask(join(code));
    await bob.ask(join(code));
    expect([alice.seen('joined').at(-1)?.code, bob.seen('joined').at(-1)?.code]).toEqual([null, null]);
  });

  test('opens to its code as it is written, and to nothing else, unseen by those inside', async () => {
    const { harness, alice, bob, code } = await withVault();
    for (const wrong of [null, 'WRONG', code.toLowerCase(), `${code} `]) {
      expect(await bob.ask(join(wrong))).toMatchObject(badCode);
    }
    await harness.endTurn();
    expect(alice.changes()).toEqual(['join alice']);
    expect(alice.seen('message')).toEqual([]);
    expect(await bob.ask(join(code))).toMatchObject({ type: 'ok' });
    expect(alice.changes()).toEqual(['join alice', 'join bob']);
  });

  test('wants the code each time, also from its owner', async () => {
    const { alice, bob, code } = await withVault();
    await bob.ask(join(code));
    await alice.ask({ type: 'leave', room: VAULT });
    expect(await alice.ask(join(null))).toMatchObject(badCode);
    expect(await alice.ask(join(code))).toMatchObject({ type: 'ok' });
    // Who is in is only told again where it stands.
    expect(await alice.ask(join(null))).toMatchObject({ type: 'ok' });
  });

  test('gets a new code from its owner alone, also from outside; the old one is dead', async () => {
    const { alice, bob, code } = await withVault();
    await bob.ask(join(code));
    expect(await errorOf(bob, { type: 'code', room: VAULT })).toBe(ERRORS.NOT_ALLOWED.wire);
    await alice.ask({ type: 'leave', room: VAULT });
    expect(await alice.ask({ type: 'code', room: VAULT })).toMatchObject({ type: 'ok' });
    const fresh = alice.seen('code')[0]?.code as string;
    expect(fresh).not.toBe(code);
    expect(await alice.ask(join(code))).toMatchObject(badCode);
    expect(await alice.ask(join(fresh))).toMatchObject({ type: 'ok' });
    expect(await errorOf(alice, { type: 'code', room: 'nowhere' as RoomName })).toBe(ERRORS.NO_SUCH_ROOM.wire);
  });

  test('is not made over one that is there, and neither is an open one', async () => {
    const { bob } = await withVault();
    for (const create of ['locked', 'open'] as const) {
      expect(await errorOf(bob, join(null, create))).toBe(ERRORS.ROOM_EXISTS.wire);
    }
  });

  test('shows its topic and its members to nobody outside', async () => {
    const { alice, bob } = await withVault();
    await alice.ask({ type: 'topic', room: VAULT, topic: 'the plan' });
    await bob.ask({ type: 'rooms' });
    expect(bob.seen('rooms')[0]?.rooms).toEqual([{ room: 'vault', members: 1, access: 'locked', topic: null }]);
    await bob.ask({ type: 'whois', name: 'alice' as never });
    expect(bob.seen('user')[0]?.rooms).toEqual([]);
    expect(await errorOf(bob, { type: 'names', room: VAULT })).toBe(ERRORS.NOT_A_MEMBER.wire);
    expect(await errorOf(bob, { type: 'search', room: VAULT, words: 'plan', before: null, limit: 1 })).toBe(
      ERRORS.NOT_A_MEMBER.wire,
    );
  });

  test('that was emptied and forgotten has neither its old code nor what was said in it', async () => {
    const { harness, alice, bob, code } = await withVault({ emptyRoomTtl: 1_000 });
    await alice.say('secret', 'vault');
    alice.leave();
    expect(await bob.ask(join(null))).toMatchObject(badCode);
    await harness.pass(1_000);
    expect(await harness.store.get('room', 'vault')).toBeNull();
    expect(await bob.ask(join(code, 'locked'))).toMatchObject({ type: 'ok' });
    expect(bob.seen('joined').at(-1)).toMatchObject({ owner: 'bob', last: 0 });
    await bob.ask({ type: 'history', room: VAULT, after: 0, before: null, sinceMs: null, limit: 10 });
    expect(bob.seen('history')).toEqual([]);
    const carol = await harness.enter('carol');
    expect(await carol.ask(join(code))).toMatchObject(badCode);
  });

  test("keeps a code in the store that only the server's key can check", async () => {
    const { harness, code } = await withVault();
    const state = JSON.stringify((await harness.store.get('room', 'vault'))?.value);
    expect(state).toContain('digest of');
    expect(state.replace(`digest of vault ${code}`, '')).not.toContain(code);
  });

  test('that is not there is not made by who asks for its code', async () => {
    const { harness, bob } = await withVault();
    const before = harness.hub.rooms.size;
    for (const room of ['nowhere', 'elsewhere'] as RoomName[]) {
      expect(await errorOf(bob, { type: 'code', room })).toBe(ERRORS.NO_SUCH_ROOM.wire);
      expect(await harness.store.get('room', room)).toBeNull();
    }
    expect(harness.hub.rooms.size).toBe(before);
  });

  test('that is empty is not kept by who knocks without its code', async () => {
    const { harness, alice, bob } = await withVault({ emptyRoomTtl: 10_000 });
    alice.leave();
    for (let i = 0; i < 9; i += 1) {
      await harness.pass(1_000);
      expect(await bob.ask(join(null))).toMatchObject(badCode);
    }
    await harness.pass(1_000);
    expect(await harness.store.get('room', 'vault')).toBeNull();
  });
});

describe('guessing a code', () => {
  test('is heard five times from one address or key, then not for ten minutes, not even rightly', async () => {
    const { harness, bob, code } = await withVault();
    for (let i = 0; i < 5; i += 1)
      expect(await bob.ask(join(`AAAA${i}`))).toMatchObject({ ...badCode, retryAfterMs: null });
    expect(await bob.ask(join(code))).toMatchObject({ ...badCode, retryAfterMs: 600_000 });
    const elsewhere = await harness.enter('bobby', { fp: fingerprintOf('bob'), address: '203.0.113.1' });
    expect(await elsewhere.ask(join(code))).toMatchObject({ ...badCode, retryAfterMs: 600_000 });
    await harness.pass(600_000);
    expect(await bob.ask(join(code))).toMatchObject({ type: 'ok' });
  });

  test('by all the world holds up newcomers, and nobody who has been in', async () => {
    const { harness, bob, code } = await withVault();
    await bob.ask(join(code));
    await bob.ask({ type: 'leave', room: VAULT });
    for (let i = 0; i < 50; i += 1) {
      const bot = await harness.enter(`bot${i}`, { address: `198.51.100.${i}` });
      await bot.ask(join('WRONG'));
      bot.leave();
    }
    const carol = await harness.enter('carol', { address: '203.0.113.9' });
    expect(await carol.ask(join(code))).toMatchObject({ ...badCode, retryAfterMs: 600_000 });
    const home = await harness.enter('bob', { address: '203.0.113.10' });
    expect(await home.ask(join(code))).toMatchObject({ type: 'ok' });
  });

  test('is not what somebody does who does not know that a code is needed', async () => {
    const { bob, code } = await withVault();
    for (let i = 0; i < 20; i += 1) expect(await bob.ask(join(null))).toMatchObject({ ...badCode, retryAfterMs: null });
    expect(await bob.ask(join(code))).toMatchObject({ type: 'ok' });
  });

  test('by all the world keeps neither who made the room out of it nor who has read in it before a restart', async () => {
    const { harness, alice, bob, code } = await withVault();
    await bob.ask(join(code));
    await alice.say('hello', 'vault');
    await bob.ask({ type: 'mark', room: VAULT, delivered: 1, read: 1 });
    await alice.ask({ type: 'retain', room: VAULT, on: true });
    await harness.hub.stop();
    const later = new HubHarness({}, harness.store);
    for (let i = 0; i < 50; i += 1) {
      const bot = await later.enter(`bot${i}`, { address: `198.51.100.${i}` });
      await bot.ask(join('WRONG'));
      bot.leave();
    }
    const carol = await later.enter('carol', { address: '203.0.113.9' });
    expect(await carol.ask(join(code))).toMatchObject(badCode);
    for (const name of ['alice', 'bob']) {
      expect(await (await later.enter(name)).ask(join(code))).toMatchObject({ type: 'ok' });
    }
  });
});
