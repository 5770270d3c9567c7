import { expect, test } from 'vitest';
import { directoriesOf } from '../../lib/config/directories.ts';

test('follows the XDG variables', () => {
  const env = { XDG_CONFIG_HOME: '/c', XDG_DATA_HOME: '/d', XDG_STATE_HOME: '/s', XDG_RUNTIME_DIR: '/r' };
  expect(directoriesOf(env, '/home/al', 'linux')).toEqual({
    config: '/c/bcast',
    data: '/d/bcast',
    state: '/s/bcast',
    runtime: '/r/bcast',
  });
});

test('uses the XDG defaults without them, and ignores relative ones', () => {
  const expected = {
    config: '/home/al/.config/bcast',
    data: '/home/al/.local/share/bcast',
    state: '/home/al/.local/state/bcast',
    runtime: '/home/al/.local/state/bcast/run',
  };
  expect(directoriesOf({}, '/home/al', 'linux')).toEqual(expected);
  const relative = { XDG_CONFIG_HOME: 'c', XDG_DATA_HOME: './d', XDG_STATE_HOME: '', XDG_RUNTIME_DIR: 'r' };
  expect(directoriesOf(relative, '/home/al', 'darwin')).toEqual(expected);
});
