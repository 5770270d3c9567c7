import { describe, expect, test } from 'vitest';
import { ERRORS } from '../../../lib/errors.ts';
import type { RoomName, UserName } from '../../../lib/protocol/names.ts';
import type { Ask } from '../../helpers/peer.ts';
import { fingerprintOf, type Guest, HubHarness, newId } from './harness.ts';

const tell = (to: string, body: string, id = newId()): Ask => ({
  type: 'tell',
  id,
  to: to as UserName,
  kind: 'text',
  body,
});
const nick = (name: string): Ask => ({ type: 'nick', name: name as UserName });

describe('a name', () => {
  test('belongs to one identity at a time, without regard to case', () => {
    const harness = new HubHarness();
    const alice = harness.enter('Alice');
    expect(() => harness.enter('alice', { fp: fingerprintOf('mallory') })).toThrow(
      expect.objectContaining({ code: 'NAME_IN_USE' }),
    );
    expect(() => harness.enter('ＡＬＩＣＥ', { fp: fingerprintOf('mallory') })).toThrow();
    alice.leave();
    expect(() => harness.enter('alice', { fp: fingerprintOf('mallory') })).not.toThrow();
  });

  test('raced by fifty is had by one, and nobody hears of the others', async () => {
    const harness = new HubHarness();
    const watcher = harness.enter('watcher');
    await watcher.join('den', true);
    const guests: Guest[] = [];
    for (let i = 0; i < 50; i += 1) {
      try {
        guests.push(harness.enter(i % 2 === 0 ? 'Prize' : 'pRIZE', { fp: fingerprintOf(`racer ${i}`) }));
      } catch (error) {
        expect(error).toMatchObject({ code: 'NAME_IN_USE' });
      }
    }
    expect(guests).toHaveLength(1);
    await harness.endTurn();
    expect(watcher.changes()).toEqual(['join watcher']);
    expect(harness.hub.users.size).toBe(2);
  });

  test('stays as its owner first wrote it, in every session', () => {
    const harness = new HubHarness();
    harness.enter('Alice');
    expect(harness.enter('ALICE').seen('welcome')).toMatchObject([{ name: 'Alice' }]);
  });

  test('is free as soon as its last session is gone', () => {
    const harness = new HubHarness();
    const [one, other] = [harness.enter('alice'), harness.enter('alice')];
    one.leave();
    expect(() => harness.enter('alice', { fp: fingerprintOf('mallory') })).toThrow();
    other.leave();
    expect(harness.hub.users.size).toBe(0);
  });
});

describe('a welcome', () => {
  test('says who one is, what one may, and what the server is', () => {
    const harness = new HubHarness({
      motd: 'Be kind.',
      maxBodyBytes: 1_000,
      idleTimeout: 7_000,
      admins: [fingerprintOf('root')],
    });
    expect(harness.enter('alice').events).toEqual([
      {
        type: 'welcome',
        req: 0,
        name: 'alice',
        role: 'member',
        registered: false,
        server: 'bcast test',
        maxBodyBytes: 1_000,
        idleTimeoutMs: 7_000,
        motd: 'Be kind.',
      },
      { type: 'ok', req: 0, seq: null, ts: null },
    ]);
    expect(harness.enter('root').seen('welcome')).toMatchObject([{ role: 'admin' }]);
  });

  test('is said once: another hello is refused', async () => {
    const harness = new HubHarness();
    const alice = harness.enter('alice');
    const again = { type: 'hello', name: 'bob' as UserName, agent: '', password: null } as const;
    expect(await alice.ask(again)).toMatchObject({ code: ERRORS.BAD_REQUEST.wire });
    expect(harness.hub.users.size).toBe(1);
  });
});

describe('sessions of one person', () => {
  test('are as many as the server allows', () => {
    const harness = new HubHarness({ maxSessionsPerUser: 2 });
    const [first] = [harness.enter('alice'), harness.enter('alice')];
    expect(() => harness.enter('alice')).toThrow(expect.objectContaining({ code: 'TOO_MANY_SESSIONS' }));
    first.leave();
    expect(() => harness.enter('alice')).not.toThrow();
  });

  test('is one where a second login is refused', () => {
    const harness = new HubHarness({ maxSessionsPerUser: 1 });
    harness.enter('alice');
    expect(() => harness.enter('alice')).toThrow(expect.objectContaining({ message: 'alice is connected already.' }));
  });
});

describe('taking another name', () => {
  test('frees the old one and is refused when it is taken', async () => {
    const harness = new HubHarness();
    const [alice, bob] = [harness.enter('alice'), harness.enter('bob')];
    expect(await alice.ask(nick('BOB'))).toMatchObject({ code: ERRORS.NAME_IN_USE.wire });
    expect(alice.session.user.name).toBe('alice');
    expect(await alice.ask(nick('alicia'))).toMatchObject({ type: 'ok' });
    expect(await bob.ask(nick('alice'))).toMatchObject({ type: 'ok' });
    expect(await bob.ask({ type: 'whois', name: 'bob' as UserName })).toMatchObject({ code: ERRORS.NO_SUCH_USER.wire });
  });

  test('may change the case of one’s own', async () => {
    const harness = new HubHarness();
    const alice = harness.enter('alice');
    expect(await alice.ask(nick('ALICE'))).toMatchObject({ type: 'ok' });
    expect(alice.session.user.name).toBe('ALICE');
    expect(harness.hub.users.size).toBe(1);
  });

  test('changes the owner’s name in what joined says', async () => {
    const harness = new HubHarness();
    const [alice, bob] = [harness.enter('alice'), harness.enter('bob')];
    await alice.join();
    await alice.ask(nick('alicia'));
    expect(await bob.join()).toMatchObject({ owner: 'alicia' });
  });

  test('back and forth leaves nothing behind', async () => {
    const harness = new HubHarness();
    const [alice, bob] = [harness.enter('alice'), harness.enter('bob')];
    for (let i = 0; i < 50; i += 1) {
      await alice.ask(nick(`temp${i}`));
      await bob.ask(nick('alice'));
      await alice.ask(nick('bob'));
      await bob.ask(nick(`temp${i}`));
      await alice.ask(nick('alice'));
      await bob.ask(nick('bob'));
    }
    alice.leave();
    bob.leave();
    expect(harness.hub.users.size).toBe(0);
  });
});

describe('a private message', () => {
  test('goes to every session of one person and to nobody else', async () => {
    const harness = new HubHarness();
    const [alice, bob, bobsPhone, carol] = [
      harness.enter('alice'),
      harness.enter('bob'),
      harness.enter('bob'),
      harness.enter('carol'),
    ];
    const id = newId();
    const answer = await alice.ask(tell('BOB', 'psst', id));
    expect(answer).toEqual({ type: 'ok', req: 1, seq: null, ts: harness.clock.nowMs() });
    const message = {
      type: 'private',
      from: 'alice',
      to: 'bob',
      kind: 'text',
      id,
      body: 'psst',
      fp: alice.session.user.fp,
    };
    for (const guest of [bob, bobsPhone]) expect(guest.seen('private')).toEqual([expect.objectContaining(message)]);
    expect([...carol.seen('private'), ...alice.seen('private')]).toEqual([]);
  });

  test('that is resent is answered again and not delivered twice', async () => {
    const harness = new HubHarness();
    const [alice, bob] = [harness.enter('alice'), harness.enter('bob')];
    const id = newId();
    const first = await alice.ask(tell('bob', 'psst', id));
    alice.leave();
    await harness.pass(5_000);
    const again = await harness.enter('alice').ask(tell('bob', 'psst', id));
    expect(again).toMatchObject({ type: 'ok', ts: (first as { ts: number }).ts });
    expect(bob.seen('private')).toHaveLength(1);
  });

  test('of somebody else with the same id is another', async () => {
    const harness = new HubHarness();
    const [alice, bob, carol] = [harness.enter('alice'), harness.enter('bob'), harness.enter('carol')];
    const id = newId();
    await alice.ask(tell('bob', 'one', id));
    await carol.ask(tell('bob', 'other', id));
    expect(bob.seen('private').map(({ body }) => body)).toEqual(['one', 'other']);
  });

  test('to nobody is refused, and may be sent again when they are there', async () => {
    const harness = new HubHarness();
    const alice = harness.enter('alice');
    const id = newId();
    expect(await alice.ask(tell('bob', 'psst', id))).toMatchObject({ code: ERRORS.NO_SUCH_USER.wire });
    const bob = harness.enter('bob');
    expect(await alice.ask(tell('bob', 'psst', id))).toMatchObject({ type: 'ok' });
    expect(bob.seen('private')).toHaveLength(1);
  });

  test('to somebody who does not read is refused instead of filling the memory', async () => {
    const harness = new HubHarness();
    const [alice, bob, bobsPhone] = [harness.enter('alice'), harness.enter('bob'), harness.enter('bob')];
    bobsPhone.isFull = true;
    const id = newId();
    expect(await alice.ask(tell('bob', 'psst', id))).toMatchObject({ code: ERRORS.NOT_DELIVERED.wire });
    expect([...bob.seen('private'), ...bobsPhone.seen('private')]).toEqual([]);
    bobsPhone.isFull = false;
    expect(await alice.ask(tell('bob', 'psst', id))).toMatchObject({ type: 'ok' });
  });
});

describe('a body', () => {
  test('may have as many bytes as the server says, in a room and in private', async () => {
    const harness = new HubHarness({ maxBodyBytes: 30 });
    const [alice, bob] = [harness.enter('alice'), harness.enter('bob')];
    await alice.join();
    for (const fits of ['x'.repeat(30), '日'.repeat(10), '😀'.repeat(7)]) {
      expect(await alice.say(fits)).toMatchObject({ type: 'ok' });
      expect(await alice.ask(tell('bob', fits))).toMatchObject({ type: 'ok' });
    }
    for (const long of ['x'.repeat(31), `日${'日'.repeat(10)}`, '😀'.repeat(8)]) {
      const code = ERRORS.MESSAGE_TOO_LARGE.wire;
      expect(await alice.say(long)).toMatchObject({ code, text: expect.stringContaining('at most 30') });
      expect(await alice.ask(tell('bob', long))).toMatchObject({ code });
    }
    expect(bob.seen('private')).toHaveLength(3);
  });

  test('of an action arrives as one', async () => {
    const harness = new HubHarness();
    const [alice, bob] = [harness.enter('alice'), harness.enter('bob')];
    await alice.join();
    await bob.join();
    await alice.ask({ type: 'say', id: newId(), again: false, room: 'den' as RoomName, kind: 'action', body: 'waves' });
    await alice.ask({ ...tell('bob', 'winks'), kind: 'action' } as Ask);
    expect(bob.seen('message')).toMatchObject([{ kind: 'action', body: 'waves' }]);
    expect(bob.seen('private')).toMatchObject([{ kind: 'action', body: 'winks' }]);
    await bob.ask({ type: 'history', room: 'den' as RoomName, after: 0, before: null, sinceMs: null, limit: 1 });
    expect(bob.seen('history')[0]?.messages).toMatchObject([{ kind: 'action', body: 'waves' }]);
  });
});

test('a handler that throws is answered as an error of ours, and the session goes on', async () => {
  const harness = new HubHarness();
  const alice = harness.enter('alice');
  await alice.join();
  harness.store.read = () => {
    throw new TypeError('secret detail');
  };
  const history: Ask = { type: 'history', room: 'den' as RoomName, after: null, before: null, sinceMs: null, limit: 1 };
  const answer = await alice.ask(history);
  expect(answer).toMatchObject({ code: ERRORS.INTERNAL.wire, text: ERRORS.INTERNAL.message });
  expect(harness.log.text).toContain('secret detail');
  expect(await alice.say('still here')).toMatchObject({ type: 'ok' });
});
