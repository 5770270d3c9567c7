import { isAbsolute, join } from 'node:path';

/** Where this account keeps what belongs to bcast; nothing here exists until somebody writes to it. */
export interface Directories {
  /** `config`, in the KEY=VALUE form of `.env`. */
  readonly config: string;
  /** Keys and known servers. */
  readonly data: string;
  /** What may be lost without harm: the remembered name, input history. */
  readonly state: string;
  /** For what ends with the login; where the system has none, under `state`. */
  readonly runtime: string;
}

type Env = Readonly<Record<string, string | undefined>>;

/** The XDG base directories, on every system that is not Windows; relative values are ignored, as the XDG text demands. */
export function directoriesOf(env: Env, home: string, platform: NodeJS.Platform): Directories {
  const at = (variable: string, ...fallback: string[]): string => {
    const value = env[variable];
    return join(value !== undefined && isAbsolute(value) ? value : join(home, ...fallback), 'bcast');
  };
  if (platform === 'win32') {
    const roaming = at('APPDATA', 'AppData', 'Roaming');
    const local = at('LOCALAPPDATA', 'AppData', 'Local');
    return { config: roaming, data: roaming, state: local, runtime: join(local, 'run') };
  }
  const state = at('XDG_STATE_HOME', '.local', 'state');
  const runtime = env['XDG_RUNTIME_DIR'];
  return {
    config: at('XDG_CONFIG_HOME', '.config'),
    data: at('XDG_DATA_HOME', '.local', 'share'),
    state,
    runtime: runtime !== undefined && isAbsolute(runtime) ? join(runtime, 'bcast') : join(state, 'run'),
  };
}
