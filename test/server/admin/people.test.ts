import { describe, expect, test } from 'vitest';
import { loadOptions } from '../../../lib/config/load.ts';
import { SERVER_OPTIONS, type ServerOptions } from '../../../lib/config/options.ts';
import { createLogger } from '../../../lib/log.ts';
import {
  type AccountDesk,
  addUser,
  audit,
  importUsers,
  removeUser,
  setUserPassword,
  setUserRole,
  users,
} from '../../../lib/server/admin/people.ts';
import { withAccounts } from '../../../lib/server/offline.ts';
import { Collector } from '../../helpers/collector.ts';
import { scratchDir } from '../../helpers/scratch-dir.ts';
import { startServer } from '../../helpers/server.ts';
import { fingerprintOf, HubHarness } from '../hub/harness.ts';

const alice = { name: 'Alice', password: 'correct horse', fingerprint: null, role: 'user' } as const;
const bob = { name: 'bob', password: null, fingerprint: fingerprintOf('bob'), role: 'admin' } as const;
const laptop = { fp: fingerprintOf('laptop') };

describe('accounts in the hand of the operator', () => {
  test('let in by password or key, and nobody without one', async () => {
    const harness = new HubHarness({ auth: 'accounts' });
    await addUser(harness, alice);
    await addUser(harness, bob);
    expect(await users(harness)).toMatchObject([
      { name: 'Alice', role: 'user', hasPassword: true, fingerprints: [] },
      { name: 'bob', role: 'admin', hasPassword: false, fingerprints: [fingerprintOf('bob')] },
    ]);
    expect(JSON.stringify(await users(harness))).not.toContain('horse');
    await expect(harness.enter('alice', { password: 'correct horse' })).resolves.toBeDefined();
    expect((await harness.enter('bob')).seen('welcome')).toMatchObject([{ role: 'admin' }]);
    await expect(addUser(harness, { ...alice, password: null })).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    await expect(addUser(harness, { ...alice, password: 'short' })).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    await expect(addUser(harness, alice)).rejects.toMatchObject({ code: 'NAME_REGISTERED' });
    for (const name of ['a b', 'Operator'])
      await expect(addUser(harness, { ...alice, name })).rejects.toMatchObject({ code: 'NAME_INVALID' });
  });

  test('go with whoever is connected under them', async () => {
    const harness = new HubHarness();
    await addUser(harness, bob);
    const guest = await harness.enter('bob');
    await removeUser(harness, { name: 'BOB' });
    expect(guest.ended).toMatchObject({ code: 'KICKED' });
    expect(await users(harness)).toEqual([]);
    await expect(removeUser(harness, { name: 'bob' })).rejects.toMatchObject({ code: 'NO_SUCH_USER' });
  });

  test('change role and password while their owner is connected', async () => {
    const harness = new HubHarness();
    await addUser(harness, alice);
    const guest = await harness.enter('alice', { password: 'correct horse' });
    await setUserRole(harness, { name: 'alice', role: 'admin' });
    expect(await guest.ask({ type: 'motd', text: 'mine' })).toMatchObject({ type: 'ok' });
    await setUserRole(harness, { name: 'alice', role: 'user' });
    expect(await guest.ask({ type: 'motd', text: null })).toMatchObject({ type: 'error' });
    await setUserPassword(harness, { name: 'alice', password: 'another horse' });
    await expect(harness.enter('alice', { ...laptop, password: 'another horse' })).resolves.toBeDefined();
    const nobody = setUserPassword(harness, { name: 'nobody', password: 'another horse' });
    await expect(nobody).rejects.toMatchObject({ code: 'NO_SUCH_USER' });
  });

  test('are imported as far as they can be, with what was wrong of the others', async () => {
    const harness = new HubHarness();
    await addUser(harness, alice);
    const imported = await importUsers(harness, { users: [alice, bob, { ...bob, name: 'c d' }] });
    expect(imported).toMatchObject({ added: ['bob'], refused: [{ name: 'Alice' }, { name: 'c d' }] });
    expect(JSON.stringify(imported)).not.toContain('horse');
    expect((await audit(harness, { limit: null })).map(({ by, action }) => [by, action])).toEqual([
      ['operator', 'user import'],
      ['operator', 'user add'],
    ]);
  });

  test('can be changed on a store that no server uses, and on no other', async () => {
    const dataDir = scratchDir();
    const none = { flags: {}, env: {}, dotenv: {}, file: {} };
    const { values } = loadOptions<ServerOptions>(SERVER_OPTIONS, none);
    const config = { ...values, dataDir, serverName: 'bcast test' };
    const log = createLogger('debug', new Collector().stream);
    const offline = <T>(work: (desk: AccountDesk) => Promise<T>) => withAccounts(config, log, work);
    await offline((desk) => addUser(desk, alice));
    expect(await offline(users)).toMatchObject([{ name: 'Alice', hasPassword: true }]);
    const server = await startServer({ dataDir, store: 'sqlite' });
    await expect(offline(users)).rejects.toMatchObject({ code: 'CONFIG' });
    await server.stop();
    expect(await offline((desk) => removeUser(desk, { name: 'alice' }))).toEqual({ name: 'alice' });
  });
});
