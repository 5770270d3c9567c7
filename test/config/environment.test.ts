import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { directoriesOf } from '../../lib/config/directories.ts';
import { type Environment, readEnvironment, readSources, userFile } from '../../lib/config/environment.ts';

let home: string;
let environment: Environment;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'bcast-env-'));
  environment = { env: { BCAST_PORT: '5' }, cwd: home, directories: directoriesOf({}, home, 'linux'), account: 'al' };
});
afterEach(() => rmSync(home, { recursive: true }));

test('reads .env and the account file, and changes nothing in process.env', () => {
  const before = { ...process.env };
  writeFileSync(join(home, '.env'), '# a note\nBCAST_ROOM=builds\nBCAST_MOTD="two words" # said\n');
  mkdirSync(environment.directories.config, { recursive: true });
  writeFileSync(userFile(environment.directories), 'BCAST_USER=al\n');
  expect(readSources({ host: 'h' }, environment)).toEqual({
    flags: { host: 'h' },
    env: { BCAST_PORT: '5' },
    dotenv: { BCAST_ROOM: 'builds', BCAST_MOTD: 'two words' },
    file: { BCAST_USER: 'al' },
  });
  expect({ ...process.env }).toEqual(before);
});

test('takes files that are not there for empty ones', () => {
  expect(readSources({}, environment)).toMatchObject({ dotenv: {}, file: {} });
});

test('names a file that is there and cannot be read', () => {
  mkdirSync(join(home, '.env'));
  expect(() => readSources({}, environment)).toThrow(/\.env cannot be read \(EISDIR\)/);
});

test('knows the account and where it keeps things', () => {
  const { account, cwd, directories } = readEnvironment();
  expect(account).not.toBe('');
  expect(cwd).toBe(process.cwd());
  expect(directories.config).toMatch(/bcast$/);
});
