import { existsSync, readdirSync, readFileSync, statSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { TestTerminal } from '../helpers/terminal.ts';
import { type Account, linesOf, newAccount, type Run } from './bcast.ts';

const BCAST = join(import.meta.dirname, '../../bin/bcast.ts');
// A test runs up to ten programs one after another, and each takes seconds to start on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

/** Several servers cannot have the one file of an account. */
const FLEETING = ['--store', 'memory'];
const RUNTIME = '.local/state/bcast/run';

interface Started extends Run {
  readonly port: number;
  readonly url: string;
}

async function startServer(account: Account, ...flags: string[]): Promise<Started> {
  const run = account.start(['start', '--port', '0', ...flags]);
  await run.until(/\n/);
  const url = run.stdout().trim();
  return { ...run, url, port: Number(/:(\d+)\?/.exec(url)?.[1]) };
}

/** Resolves once the log of a server has this. */
async function logged({ child, stderr }: Run, pattern: RegExp): Promise<void> {
  while (!pattern.test(stderr())) await new Promise((resolve) => child.stderr.once('data', resolve));
}

describe('bcast admin', () => {
  test('tells how a server is, what rooms it has and who is there', async () => {
    const account = newAccount();
    const { port } = await startServer(account);
    const alice = account.start(['tail', '-u', 'alice', '-r', 'den', '--events']);
    await alice.until(/alice/);
    await account.run(['send', '-u', 'bob', '-r', 'den', 'hello']);
    const status = await account.run(['admin', 'status']);
    expect([status.code, status.stderr]).toEqual([0, '']);
    expect(status.stdout).toMatch(new RegExp(`^listens on +127\\.0\\.0\\.1:${port}$`, 'm'));
    expect(status.stdout).toMatch(/^people +1 user in 1 session$/m);
    const [line = '', ...more] = linesOf((await account.run(['admin', 'status', '--json'])).stdout);
    expect([JSON.parse(line), more]).toMatchObject([{ port, users: 1, connections: 1 }, []]);
    expect((await account.run(['admin', 'rooms'])).stdout).toMatch(/^ROOM .*\nden +1 +1 +1 +0 +alice +-\n$/);
    const [session = ''] = linesOf((await account.run(['admin', 'sessions', '--json'])).stdout);
    expect(JSON.parse(session)).toMatchObject({ user: 'alice', address: '127.0.0.1' });
  });

  test('kicks and bans, with words that cannot harm a terminal', async () => {
    const account = newAccount();
    await startServer(account);
    const alice = account.start(['tail', '-u', 'alice', '-r', 'den', '--events']);
    await alice.until(/alice/);
    expect(await account.run(['admin', 'kick', 'alice', 'too', 'loud'])).toMatchObject({
      code: 0,
      stdout: 'alice was removed.\n',
    });
    expect(await alice.exit).toMatchObject({ code: 7, stderr: expect.stringContaining('too loud') });
    const ban = await account.run(['admin', 'ban', 'alice', '2h', 'be\u001b[31mhave']);
    expect(ban.stdout).toMatch(/^alice is banned until \d{4}-\d\d-\d\d \d\d:\d\d UTC\.\n$/);
    const bans = (await account.run(['admin', 'bans'])).stdout;
    expect(bans).toMatch(/^TARGET .*\nalice .* operator +be\\x1b\[31mhave\n$/);
    expect((await account.run(['send', '-u', 'alice', 'hi'])).code).toBe(7);
    expect(await account.run(['admin', 'unban', 'alice'])).toMatchObject({ code: 0 });
    expect((await account.run(['admin', 'bans'])).stdout).toBe('Nobody is banned.\n');
    expect((await account.run(['admin', 'unban', 'alice'])).code).toBe(11);
    expect((await account.run(['send', '-u', 'alice', 'hi'])).code).toBe(0);
  });

  test('finds a server that was killed and started again', async () => {
    const account = newAccount();
    const first = await startServer(account);
    first.child.kill('SIGKILL');
    await first.exit;
    expect((await account.run(['admin', 'status'])).code).toBe(3);
    const second = account.start(['start', '--port', String(first.port)]);
    await second.until(/\n/);
    const { stdout } = await account.run(['admin', 'status', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ port: first.port, pid: second.child.pid });
    const files = readdirSync(join(account.home, RUNTIME)).sort();
    expect(files).toEqual(
      ['admin-%.sock', 'server-%.json'].map((name) => name.replace('%', `${first.port}-${second.child.pid}`)),
    );
    expect(statSync(join(account.home, RUNTIME)).mode & 0o777).toBe(0o700);
    expect(statSync(join(account.home, RUNTIME, files[0] as string)).mode & 0o777).toBe(0o600);
    second.child.kill('SIGTERM');
    await second.exit;
    expect(readdirSync(join(account.home, RUNTIME))).toEqual([]);
  });
});

describe('bcast reload', () => {
  test('takes over what changed in .env and in the config file, and says what waits', async () => {
    const account = newAccount();
    const server = await startServer(account, '--max-rooms', '9');
    const env = join(account.home, '.env');
    writeFileSync(env, 'BCAST_MOTD=Tea at four.\nBCAST_MAX_ROOMS=3\nBCAST_HOST=127.0.0.9\n');
    const told = await account.run(['reload']);
    expect(told).toEqual({
      code: 0,
      stdout: 'motd: unset -> Tea at four.\nhost: 127.0.0.1 -> 127.0.0.9  (needs a restart)\n',
      stderr: '',
    });
    writeFileSync(env, 'BCAST_MOTD=Tea at four.\nBCAST_MAX_BODY_BYTES=much\n');
    expect(await account.run(['reload'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('BCAST_MAX_BODY_BYTES (.env) must be a size'),
    });
    expect(server.stderr()).toContain('reload refused, nothing has changed');
    writeFileSync(env, '');
    const { stdout } = await account.run(['reload', '--json']);
    expect(JSON.parse(stdout)).toEqual({
      changed: [{ option: 'motd', before: 'Tea at four.', after: null }],
      waiting: [],
    });
    expect((await account.run(['reload'])).stdout).toBe('Nothing has changed.\n');
  });

  test('is what SIGHUP does, and a bad configuration is survived', async () => {
    const account = newAccount();
    const server = await startServer(account);
    const env = join(account.home, '.env');
    writeFileSync(env, 'BCAST_MOTD=Tea.\n');
    server.child.kill('SIGHUP');
    await logged(server, /"changed":\[\{"option":"motd","before":null,"after":"Tea\."\}\].*"reloaded"/);
    writeFileSync(env, 'BCAST_MAX_ROOMS=0\n');
    server.child.kill('SIGHUP');
    await logged(server, /reload refused, nothing has changed: BCAST_MAX_ROOMS/);
    expect((await account.run(['send', 'hi'])).code).toBe(0);
  });

  test('is not what the end of the terminal asks for', async () => {
    const account = newAccount();
    const terminal = new TestTerminal('sh', ['-c', `exec "${process.execPath}" "${BCAST}" start --port 0 2>log`], {
      columns: 120,
      rows: 10,
      env: account.env,
      cwd: account.home,
    });
    onTestFinished(() => terminal.close());
    await terminal.until('bcast://');
    process.kill(terminal.pid, 'SIGHUP');
    await terminalLog(account, 'reloaded');
    terminal.hangUp();
    await terminalLog(account, 'stopped');
  });
});

describe('bcast status', () => {
  test('looks at a server without entering it or leaving anything behind', async () => {
    const [operator, stranger] = [newAccount(), newAccount()];
    const { port, stderr } = await startServer(operator);
    const seen = await stranger.run(['status', `127.0.0.1:${port}`]);
    expect([seen.code, seen.stderr]).toEqual([0, '']);
    expect(seen.stdout).toMatch(/^server +127\.0\.0\.1:\d+ is up: bcast \d/);
    expect(seen.stdout).toMatch(/^fingerprint +SHA256:\S{43} \(not known yet\)$/m);
    expect(seen.stdout).toMatch(/^people +0 users in 0 rooms$/m);
    const { stdout } = await stranger.run(['status', `127.0.0.1:${port}`, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: true,
      address: `127.0.0.1:${port}`,
      trust: 'unknown',
      protocolVersion: 1,
      suite: 4,
      users: 0,
      rooms: 0,
    });
    expect(existsSync(join(stranger.home, '.local'))).toBe(false);
    expect(stderr()).not.toContain('entered');
    expect((await operator.run(['status'])).stdout).toContain('(yours, on this machine)');
  });

  test('tells nothing more of a server that keeps it to itself', async () => {
    const account = newAccount();
    await startServer(account, '--public-status', 'none');
    const { code, stdout } = await account.run(['status']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/ is up\n/);
    expect(stdout).not.toMatch(/running|people/);
  });

  test('exits 6 where the key is another, and 3 where nobody is', async () => {
    const account = newAccount();
    const { port, child, exit } = await startServer(account);
    const fp = `SHA256:${'A'.repeat(43)}`;
    const wrong = await account.run(['status', `bcast://127.0.0.1:${port}?fp=${fp}`, '--json']);
    expect([wrong.code, JSON.parse(wrong.stdout)]).toMatchObject([6, { ok: false, error: 'SERVER_CHANGED' }]);
    child.kill('SIGTERM');
    await exit;
    const gone = await account.run(['status', `127.0.0.1:${port}`, '--json']);
    expect([gone.code, JSON.parse(gone.stdout)]).toMatchObject([3, { ok: false, error: 'CONNECT_FAILED' }]);
    expect(gone.stderr).toContain('nobody listens there');
  });
});

test('two servers share a port, and each can be asked', async () => {
  const account = newAccount();
  const flags = ['--reuse-port', ...FLEETING];
  const one = await startServer(account, ...flags);
  const two = account.start(['start', '--port', String(one.port), ...flags]);
  await two.until(/\n/);
  expect(two.stdout()).toBe(one.stdout());
  for (const { child } of [one, two]) {
    const { stdout } = await account.run(['admin', 'status', '--json', '--pid', String(child.pid)]);
    expect(JSON.parse(stdout)).toMatchObject({ port: one.port, pid: child.pid });
  }
  one.child.kill('SIGTERM');
  await one.exit;
  expect((await account.run(['send', 'still served'])).code).toBe(0);
  expect((await account.run(['admin', 'status'])).code).toBe(0);
});

/** Resolves once the log that a server writes into a file has this. */
async function terminalLog({ home }: Account, words: string): Promise<void> {
  const path = join(home, 'log');
  const watcher = watch(path);
  const changes = new Promise<void>((resolve) => {
    const look = (): void => {
      if (readFileSync(path, 'utf8').includes(words)) resolve();
    };
    watcher.on('change', look);
    look();
  });
  await changes;
  watcher.close();
}
