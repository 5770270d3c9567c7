import { existsSync, readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { linesOf, newAccount } from './bcast.ts';

const URL_LINE = /^bcast:\/\/127\.0\.0\.1:(\d+)\?fp=(SHA256:[A-Za-z0-9+/]{43})\n$/;

describe('bcast start', () => {
  test('prints one line on stdout, the URL to connect with, and logs JSON on stderr', async () => {
    const account = newAccount();
    const server = account.start(['start', '--port', '0']);
    await server.until(/\n/);
    expect(server.stdout()).toMatch(URL_LINE);
    const url = server.stdout().trim();
    expect((await account.run(['send', '--server', url, 'hi'])).code).toBe(0);
    server.child.kill('SIGTERM');
    const { code, stdout, stderr } = await server.exit;
    expect([code, stdout]).toEqual([0, `${url}\n`]);
    for (const line of linesOf(stderr)) expect(JSON.parse(line)).toHaveProperty('msg');
    expect(stderr).not.toContain('hi');
  });

  test('ends in order when the shell of npx is ended, which passes nothing on, and no other shell', async () => {
    const account = newAccount();
    const underShell = (script: string) =>
      account.shell('$BCAST start --port 0 --store memory & echo $!; wait', {
        npm_lifecycle_event: 'npx',
        npm_lifecycle_script: script,
      });
    const server = underShell("'bcast'");
    const other = underShell("'a-tool'");
    for (const one of [server, other]) {
      await one.until(/bcast:/);
      one.child.kill('SIGTERM');
    }
    // Both hold stdout and stderr until they end.
    expect((await server.exit).stderr).toContain('shutting down');
    expect(other.stderr()).not.toContain('shutting down');
    process.kill(Number(/^\d+$/m.exec(other.stdout())?.[0]), 'SIGTERM');
    await other.exit;
  });

  test('keeps its identity over restarts', async () => {
    const account = newAccount();
    const fingerprints: (string | undefined)[] = [];
    for (let i = 0; i < 2; i += 1) {
      const server = account.start(['start', '--port', '0', '--data-dir', join(account.home, 'data')]);
      await server.until(/\n/);
      fingerprints.push(URL_LINE.exec(server.stdout())?.[2]);
      server.child.kill('SIGINT');
      expect((await server.exit).code).toBe(0);
    }
    expect(fingerprints[0]).toBeDefined();
    expect(fingerprints[1]).toBe(fingerprints[0]);
  });

  test('is found and trusted by the same account without a word, and by no other', async () => {
    const account = newAccount();
    const server = account.start(['start', '--port', '0']);
    await server.until(/\n/);
    expect(await account.run(['send', 'hi'])).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await account.run(['tail', '--raw', '--no-follow'])).toEqual({ code: 0, stdout: 'hi\n', stderr: '' });
    expect((await newAccount().run(['send', 'hi'])).code).toBe(3);
    server.child.kill('SIGTERM');
    await server.exit;
    expect((await account.run(['send', 'hi'])).code).toBe(3);
  });

  test('says in one line that its port is taken', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void other.close());
    const { port } = other.address() as AddressInfo;
    const { code, stdout, stderr } = await newAccount().run(['start', '--port', String(port)]);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toBe(`bcast: 127.0.0.1:${port} is in use, perhaps by another bcast. --port 0 takes a free one.\n`);
  });

  test('logs for people when it is told to', async () => {
    const server = newAccount().start(['start', '--port', '0', '--log-format', 'pretty']);
    await server.until(/\n/);
    server.child.kill('SIGTERM');
    expect((await server.exit).stderr).toMatch(/^\[\d\d:\d\d:\d\d\] INFO: ready$/m);
  });

  test('refuses an option that cannot be, with exit code 2', async () => {
    const { code, stderr } = await newAccount().run(['start', '--port', '70000']);
    expect([code, stderr]).toEqual([2, 'bcast: --port must be a whole number from 0 to 65535, not "70000".\n']);
  });
});

describe('bcast whoami', () => {
  test('shows the name and the fingerprint that others see', async () => {
    const account = newAccount();
    const { code, stdout } = await account.run(['whoami', '--json']);
    const about = JSON.parse(stdout);
    expect(code).toBe(0);
    expect(about).toMatchObject({
      fingerprint: expect.stringMatching(/^SHA256:/),
      identity: expect.stringContaining(account.home),
    });
    expect(existsSync(about.identity)).toBe(true);
    expect((await account.run(['whoami'])).stdout).toContain(about.fingerprint);
  });
});

describe('bcast config', () => {
  test('shows no secret, wherever it stands', async () => {
    const secret = 'hunter2';
    const account = newAccount(undefined, {
      BCAST_PASSWORD: secret,
      BCAST_CODE: secret,
      BCAST_SERVER: `bcast://h/den?code=${secret}&x=1#${secret}`,
    });
    for (const args of [['config'], ['config', '--json']]) {
      const { code, stdout, stderr } = await account.run(args);
      expect([code, stdout.includes('***'), (stdout + stderr).includes(secret)]).toEqual([0, true, false]);
    }
  });

  test('shows every option with its origin, and masks secrets', async () => {
    const account = newAccount(undefined, {
      BCAST_PORT: '7001',
      BCAST_SERVER: 'bcast://chat.example.org/den#s3cret',
      BCAST_REDIS_URL: 'redis+sentinel://bcast:s3cret@one,two/main',
    });
    const { code, stdout } = await account.run(['config', '--json']);
    const rows = linesOf(stdout).map((line) => JSON.parse(line));
    expect(code).toBe(0);
    expect(rows).toContainEqual({
      option: 'port',
      env: 'BCAST_PORT',
      value: '7001',
      origin: 'environment',
      live: false,
    });
    expect(rows).toContainEqual({
      option: 'host',
      env: 'BCAST_HOST',
      value: '127.0.0.1',
      origin: 'default',
      live: false,
    });
    expect(rows).toContainEqual(
      expect.objectContaining({ option: 'redis-url', value: 'redis+sentinel://bcast:***@one:26379,two:26379/main' }),
    );
    expect(stdout).not.toContain('s3cret');
    const table = (await account.run(['config'])).stdout;
    expect(table).toMatch(/^BCAST_PORT +7001 +environment$/m);
    expect(table).not.toContain('s3cret');
  });

  test('knows every variable of .env.example', async () => {
    const { stdout } = await newAccount().run(['config']);
    const example = readFileSync(join(import.meta.dirname, '../../.env.example'), 'utf8');
    for (const [, name] of example.matchAll(/^#(BCAST_\w+)=/gm)) expect(stdout).toContain(`${name} `);
  });

  test('names a variable that is not valid, with exit code 2', async () => {
    const { code, stderr } = await newAccount(undefined, { BCAST_IDLE_TIMEOUT: 'soon' }).run(['config']);
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/^bcast: BCAST_IDLE_TIMEOUT \(environment\) must be a duration/),
    ]);
  });
});
