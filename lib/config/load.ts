import { BcastError } from '../errors.ts';
import type { Option } from './options.ts';

type Table = Readonly<Record<string, Option<unknown>>>;
type Texts = Readonly<Record<string, string | undefined>>;

/** Where options may come from, the strongest first. Flags go by option name, the others by environment name. */
export interface Sources {
  readonly flags: Texts;
  readonly env: Texts;
  readonly dotenv: Texts;
  readonly file: Texts;
}

export type Origin = 'flag' | 'environment' | '.env' | 'file' | 'default';

export interface Loaded<V> {
  readonly values: V;
  readonly origins: Readonly<Record<keyof V, Origin>>;
}

/** The value of every option of `table`; throws CONFIG naming the place and the rule that was broken. */
export function loadOptions<V>(table: Table, sources: Sources): Loaded<V> {
  const values: Record<string, unknown> = {};
  const origins: Record<string, Origin> = {};
  for (const [key, option] of Object.entries(table)) {
    const found = find(option, sources);
    values[key] = found === undefined ? option.fallback : parse(option, found);
    origins[key] = found?.origin ?? 'default';
  }
  return { values: Object.freeze(values) as V, origins: Object.freeze(origins) as Record<keyof V, Origin> };
}

interface Found {
  readonly raw: string;
  readonly origin: Origin;
}

function find({ name, env }: Option<unknown>, { flags, env: environment, dotenv, file }: Sources): Found | undefined {
  const places = [
    [flags[name], 'flag'],
    [environment[env], 'environment'],
    [dotenv[env], '.env'],
    [file[env], 'file'],
  ] as const;
  for (const [raw, origin] of places) {
    // An empty variable counts as unset, as in `BCAST_ROOM= bcast ...`; an empty flag is a mistake and is refused.
    if (raw !== undefined && (raw !== '' || origin === 'flag')) return { raw, origin };
  }
  return undefined;
}

function parse({ name, env, kind, isSecret }: Option<unknown>, { raw, origin }: Found): unknown {
  const place = origin === 'flag' ? `--${name}` : `${env} (${origin})`;
  if (origin === 'flag' && kind.carriesSecret?.(raw)) {
    throw new BcastError('CONFIG', { text: `${place} holds a password, which others can read there; use ${env}.` });
  }
  const value = kind.parse(raw);
  if (value !== null) return value;
  const given = isSecret !== true && kind.carriesSecret === undefined ? `, not ${JSON.stringify(raw)}` : '';
  throw new BcastError('CONFIG', { text: `${place} must be ${kind.rule}${given}.` });
}

/** `.env.example`: every option with its help and its default, commented out, under the titles of `groups`. */
export function renderEnvExample(groups: Readonly<Record<string, Table>>): string {
  const lines = [
    '# Every option with its default. Flags go before the environment, that before .env in the working directory, and that',
    '# before `config` in the XDG configuration directory of bcast, which has the same form as this file.',
    '',
  ];
  for (const [title, table] of Object.entries(groups)) {
    lines.push(`# ---- ${title} ----`, '');
    for (const { env, help, kind, fallback } of Object.values(table)) {
      lines.push(`# ${help}`, `#${env}=${fallback === undefined ? '' : kind.format(fallback)}`, '');
    }
  }
  return lines.join('\n');
}
