/**
 * Draws docs/images/tui.svg: what is on the screen of alice, who talks to bob while a build script pipes into the room. A
 * real server, two real terminals and a real pipe; only the drawing is ours. Run it with `node test/helpers/draw-tui.ts`.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestTerminal } from './terminal.ts';
import { pictureOf } from './terminal-picture.ts';

const root = join(import.meta.dirname, '../..');
const bcast = [join(root, 'bin/bcast.ts')];
const home = mkdtempSync(join(tmpdir(), 'bcast-picture-'));
const env = { HOME: home, PATH: process.env['PATH'] ?? '', LANG: 'C.UTF-8' };

const BUILD = [
  'make: release 2.0.0',
  'compiling 214 files',
  'tests: 1648 passed in 41 s',
  'release 2.0.0 (3f2c1d9) is ready',
];

const NOTES = `release notes, last call:
  - a cut connection comes back without loss or doubles
  - \`make 2>&1 | bcast connect\` tells the truth`;

const server = spawn(process.execPath, [...bcast, 'start', '--motd', 'Welcome. Be kind.'], {
  env,
  stdio: ['ignore', 'pipe', 'inherit'],
});
const terminals: TestTerminal[] = [];
try {
  await ready();
  const alice = await converse();
  mkdirSync(join(root, 'docs/images'), { recursive: true });
  writeFileSync(join(root, 'docs/images/tui.svg'), pictureOf(alice));
  process.stdout.write(`${alice.text()}\n`);
} finally {
  for (const terminal of terminals) terminal.close('SIGTERM');
  await Promise.all(terminals.map(({ exited }) => exited));
  server.kill();
  rmSync(home, { recursive: true, force: true });
}

function ready(): Promise<void> {
  return new Promise((resolve, reject) => {
    server.stdout.once('data', () => resolve());
    server.once('close', () => reject(new Error('the server did not start')));
  });
}

function open(name: string, rooms: readonly string[]): TestTerminal {
  const words = [...bcast, 'connect', '-u', name, ...rooms.flatMap((room) => ['-r', room])];
  const terminal = new TestTerminal(process.execPath, words, { columns: 110, rows: 30, env });
  terminals.push(terminal);
  return terminal;
}

/** What a shell does for `... | bcast connect -u NAME -r ROOM`. */
function pipe(name: string, room: string, lines: readonly string[]): Promise<unknown> {
  const words = [...bcast, 'connect', '-u', name, '-r', room];
  const child = spawn(process.execPath, words, { env, stdio: ['pipe', 'ignore', 'inherit'] });
  child.stdin.end(lines.map((line) => `${line}\n`).join(''));
  return new Promise((resolve) => child.once('close', resolve));
}

/** Plays the scene; alice's terminal, at its end. */
async function converse(): Promise<TestTerminal> {
  const bob = open('bob', ['lobby', 'builds']);
  await bob.until('30d.');
  bob.type('/topic 2.0 goes out today\r');
  await bob.until('#lobby  2.0 goes out today');
  const alice = open('alice', ['lobby', 'builds']);
  await alice.until('Be kind.');
  const say = async (who: TestTerminal, text: string, shown: RegExp): Promise<void> => {
    who.type(`${text}\r`);
    await Promise.all([alice.until(shown), bob.until(shown)]);
  };
  await say(bob, 'morning! is 2.0 still going out today?', /bob {2}morning/);
  await say(alice, 'yes, as soon as the build is green', /alice {2}yes, as soon/);
  await pipe('ci', 'lobby', BUILD);
  await alice.until('is ready');
  await say(bob, 'alice: that was quick 🎉', /that was quick/);
  await say(alice, '/me puts the good coffee on ☕', /alice puts the good/);
  bob.paste(NOTES);
  await bob.until('tells the truth');
  await say(bob, '', /release notes, last call/);
  await pipe('ci', 'builds', ['nightly 3f2c1d9 passed', 'alice: the arm64 runner is low on disk']);
  await alice.until(/builds +@1/);
  bob.type('/msg alice psst, lunch at noon?\r');
  await alice.until(/3 bob +@1/);
  bob.type('\x1b1');
  await bob.until(/^ #lobby/);
  bob.type('one more thi');
  alice.type('reading them n');
  await alice.until('bob is typing');
  await alice.until(/› reading them n$/m);
  return alice;
}
