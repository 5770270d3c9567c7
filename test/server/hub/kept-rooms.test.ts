import { describe, expect, test } from 'vitest';
import { ERRORS } from '../../../lib/errors.ts';
import type { RoomName } from '../../../lib/protocol/names.ts';
import { type Answer, fingerprintOf, type Guest, HubHarness } from './harness.ts';

const TOO_MANY = { type: 'error', code: ERRORS.TOO_MANY_ROOMS.wire };
const OK = { type: 'ok' };

describe('rooms that somebody keeps', () => {
  test('are as many as one may be in, and not more; letting one go makes room for another', async () => {
    const harness = new HubHarness({ maxRoomsPerUser: 2 });
    const alice = await harness.enter('alice');
    expect([await keepNew(alice, 'one'), await keepNew(alice, 'two')]).toMatchObject([OK, OK]);
    const refused = await keepNew(alice, 'three');
    expect(refused).toMatchObject(TOO_MANY);
    expect(refused).toMatchObject({ text: expect.stringContaining('/keep off') });
    expect(harness.hub.rooms.find('three' as RoomName)?.state.isRetained).toBe(false);
    // Again is no other room.
    await alice.join('two');
    expect(await keep(alice, 'two')).toMatchObject(OK);
    expect(await keep(alice, 'two', false)).toMatchObject(OK);
    await leave(alice, 'two');
    expect(await keepNew(alice, 'three')).toMatchObject(OK);
    expect(await keepNew(alice, 'four')).toMatchObject(TOO_MANY);
  });

  test('are counted over a restart, and by identity, whatever the name', async () => {
    const before = new HubHarness({ maxRoomsPerUser: 1 });
    await keepNew(await before.enter('alice'), 'one');
    const after = new HubHarness({ maxRoomsPerUser: 1 }, before.store);
    const alice = await after.enter('other', { fp: fingerprintOf('alice') });
    expect(await keepNew(alice, 'two')).toMatchObject(TOO_MANY);
  });

  test('are counted together for all keys of an account, and for a key that registers another name', async () => {
    const harness = new HubHarness({ maxRoomsPerUser: 2 });
    const alice = await harness.enter('alice');
    await alice.ask({ type: 'register', password: 'correct horse' });
    await keepNew(alice, 'one');
    alice.leave();
    const phone = await harness.enter('alice', { fp: fingerprintOf('phone'), password: 'correct horse' });
    expect(await keepNew(phone, 'two')).toMatchObject(OK);
    expect(await keepNew(phone, 'three')).toMatchObject(TOO_MANY);
    // For the phone it was the first; what was refused counts for neither.
    await phone.ask({ type: 'unregister' });
    expect(await keepNew(phone, 'four')).toMatchObject(OK);
    expect(await keepNew(phone, 'five')).toMatchObject(TOO_MANY);
    await phone.ask({ type: 'register', password: null });
    expect(await keepNew(phone, 'six')).toMatchObject(TOO_MANY);
  });

  test('are counted for who kept them last', async () => {
    const harness = new HubHarness({ maxRoomsPerUser: 2 });
    const [alice, bob] = [await harness.enter('alice'), await harness.enter('bob')];
    for (const room of ['one', 'two']) {
      await alice.join(room);
      await bob.join(room);
      await keep(alice, room);
      await alice.ask({ type: 'role', room: room as RoomName, name: bob.session.user.name, role: 'owner' });
    }
    expect(await keep(bob, 'one')).toMatchObject(OK);
    expect(await keep(bob, 'two', false)).toMatchObject(OK);
    for (const room of ['one', 'two']) await leave(alice, room);
    expect([await keepNew(alice, 'three'), await keepNew(alice, 'four')]).toMatchObject([OK, OK]);
    expect(await keepNew(alice, 'five')).toMatchObject(TOO_MANY);
  });

  test('are not counted for admins, nor when an admin keeps them', async () => {
    const harness = new HubHarness({ maxRoomsPerUser: 1, admins: [fingerprintOf('admin')] });
    const [alice, admin] = [await harness.enter('alice'), await harness.enter('admin')];
    for (const room of ['one', 'two', 'three']) expect(await keepNew(admin, room)).toMatchObject(OK);
    await alice.join('four');
    await keep(alice, 'four');
    await keep(admin, 'four');
    expect(await keep(alice, 'four')).toMatchObject(OK);
    await leave(alice, 'four');
    expect(await keepNew(alice, 'five')).toMatchObject(OK);
  });

  test('are not counted when they could not be kept', async () => {
    const harness = new HubHarness({ maxRoomsPerUser: 1 });
    const alice = await harness.enter('alice');
    await alice.join('one');
    const { hub } = harness;
    const room = hub.rooms.find('one' as RoomName);
    const { update } = hub.rooms;
    hub.rooms.update = () => Promise.reject(new Error('planted'));
    expect(await keep(alice, 'one')).toMatchObject({ code: ERRORS.INTERNAL.wire });
    hub.rooms.update = update;
    expect(room?.state.isRetained).toBe(false);
    await leave(alice, 'one');
    expect(await keepNew(alice, 'two')).toMatchObject(OK);
  });
});

/** Enters the room, keeps it if that is allowed, and leaves it. */
async function keepNew(guest: Guest, room: string): Promise<Answer> {
  await guest.join(room);
  const answer = await keep(guest, room);
  await leave(guest, room);
  return answer;
}

function keep(guest: Guest, room: string, on = true): Promise<Answer> {
  return guest.ask({ type: 'retain', room: room as RoomName, on });
}

function leave(guest: Guest, room: string): Promise<Answer> {
  return guest.ask({ type: 'leave', room: room as RoomName });
}
