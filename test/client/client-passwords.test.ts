import { describe, expect, test } from 'vitest';
import { type ConnectOptions, connect } from '../../lib/client/client.ts';
import type { BcastError, ErrorCode } from '../../lib/errors.ts';
import { comeBack, identity, online, outcome } from '../helpers/scripted-client.ts';
import { ScriptedServer } from '../helpers/scripted-server.ts';

const SECRET = 'correct horse';

/** Lets in whoever brings the password; others are refused with `missing` or, with another one, AUTH_FAILED. */
function guarded(missing: ErrorCode = 'NAME_REGISTERED'): ScriptedServer {
  const server = new ScriptedServer();
  server.answers.push((line, request) => {
    if (request.type !== 'hello' || request.password === SECRET) return false;
    line.refuse(request, request.password === null ? missing : 'AUTH_FAILED');
    return true;
  });
  return server;
}

function enter(server: ScriptedServer, password: ConnectOptions['password']): Promise<string> {
  return outcome(
    connect({ ...server.connectOptions, user: 'alice', identity, password }).then((client) => client.close()),
  );
}

function passwords(server: ScriptedServer): (string | null)[] {
  return server.lines.flatMap(({ hellos }) => hellos.map(({ password }) => password));
}

describe('a password', () => {
  test('that is given goes with every hello, since the account may have forgotten the identity', async () => {
    const setup = await online(guarded(), { password: SECRET });
    (await setup.server.line(0)).cut();
    await comeBack(setup, 1);
    expect(setup.client.status.state).toBe('online');
    expect(passwords(setup.server)).toEqual([SECRET, SECRET]);
  });

  test('that is wrong is tried once', async () => {
    const server = guarded();
    expect(await enter(server, 'wrong')).toBe('AUTH_FAILED');
    expect(await enter(server, undefined)).toBe('NAME_REGISTERED');
    expect(passwords(server)).toEqual(['wrong', null]);
  });

  test('is asked for when the server wants one, with the reason, until it is right', async () => {
    const reasons: string[] = [];
    const answers = ['wrong', SECRET];
    const ask = async ({ code }: BcastError) => {
      reasons.push(code);
      return answers.shift() ?? null;
    };
    const server = guarded();
    expect(await enter(server, ask)).toBe('done');
    expect(reasons).toEqual(['NAME_REGISTERED', 'AUTH_FAILED']);
    expect(passwords(server)).toEqual([null, 'wrong', SECRET]);
  });

  test('that nobody gives ends the attempt with the refusal', async () => {
    const server = guarded();
    expect(await enter(server, async () => null)).toBe('NAME_REGISTERED');
    expect(server.attempts).toBe(1);
  });

  test('is not asked for where none would help', async () => {
    let asked = 0;
    const ask = async () => {
      asked += 1;
      return SECRET;
    };
    expect(await enter(guarded('AUTH_REQUIRED'), ask)).toBe('AUTH_REQUIRED');
    expect(await enter(guarded('BANNED'), ask)).toBe('BANNED');
    expect(asked).toBe(0);
  });

  test('that was typed is kept no longer than it takes to get in, and nobody is asked after a cut', async () => {
    let asked = 0;
    const server = guarded();
    const password = async () => {
      asked += 1;
      return SECRET;
    };
    const setup = await online(server, { password });
    (await server.line(1)).cut();
    await comeBack(setup, 2);
    expect(setup.client.status).toMatchObject({ state: 'closed', error: { code: 'NAME_REGISTERED' } });
    expect(asked).toBe(1);
    expect(passwords(server)).toEqual([null, SECRET, null]);
  });

  test('that no server would take is refused here, without being repeated', async () => {
    const long = 'x'.repeat(257);
    const server = guarded();
    const error = await connect({ ...server.connectOptions, user: 'alice', identity, password: long }).catch(
      (thrown: BcastError) => thrown,
    );
    expect(error).toMatchObject({ code: 'USAGE' });
    expect(String(error)).not.toContain(long);
    expect(server.attempts).toBe(0);
  });

  test('is told of to nobody: the status says only that the name is registered', async () => {
    const { client, events } = await online(guarded(), { password: SECRET });
    expect(client.status).toMatchObject({ state: 'online', registered: false });
    expect(JSON.stringify(events)).not.toContain(SECRET);
  });
});
