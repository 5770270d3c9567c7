import type { OptionKind } from './kinds.ts';

interface Host {
  readonly host: string;
  readonly port: number;
}

interface Common {
  readonly hosts: readonly Host[];
  readonly isTls: boolean;
  readonly username: string | undefined;
  /** A function, so that no log and no dump of the options shows it. */
  readonly password: (() => string) | undefined;
}

/** Which Redis, and how to get in. */
export type RedisAddress =
  | (Common & { readonly kind: 'single'; readonly db: number })
  /** Some of the servers; the others are found through them. */
  | (Common & { readonly kind: 'cluster' })
  /** The sentinels; they say where `master` is. */
  | (Common & { readonly kind: 'sentinel'; readonly master: string; readonly db: number });

const URL = /^redis(s?)(\+cluster|\+sentinel)?:\/\/(?:([^:@/]*)(?::([^@/]*))?@)?([^@/?#]+)(?:\/([^/?#]*))?$/;
const HOST = /^(\[[0-9a-fA-F:.]+\]|[^:[\]]+)(?::(\d{1,5}))?$/;
const REDIS_PORT = 6_379;
const SENTINEL_PORT = 26_379;
const MAX_DB = 65_535;

/** Null for what is not one of the forms of `redisUrl`. */
export function parseRedisUrl(raw: string): RedisAddress | null {
  const match = URL.exec(raw);
  if (match === null) return null;
  const [, tls, form = '', username, password, hostList = '', path = ''] = match;
  const hosts = hostList.split(',').map((each) => parseHost(each, form === '+sentinel' ? SENTINEL_PORT : REDIS_PORT));
  if (hosts.includes(null) || (form === '' && hosts.length > 1)) return null;
  try {
    const common: Common = {
      hosts: hosts as Host[],
      isTls: tls === 's',
      username: username ? decodeURIComponent(username) : undefined,
      password: password ? secret(decodeURIComponent(password)) : undefined,
    };
    if (form === '+cluster') return path === '' ? { ...common, kind: 'cluster' } : null;
    const [db, master] = form === '' ? [path || '0', ''] : ['0', decodeURIComponent(path)];
    if (!/^\d{1,5}$/.test(db) || Number(db) > MAX_DB) return null;
    if (form === '') return { ...common, kind: 'single', db: Number(db) };
    return master === '' ? null : { ...common, kind: 'sentinel', master, db: Number(db) };
  } catch {
    // A stray percent sign.
    return null;
  }
}

/** The URL without its password, for logs and people. */
export function describeRedis(address: RedisAddress): string {
  const { kind, isTls, hosts, username, password } = address;
  const user = username === undefined ? '' : encodeURIComponent(username);
  const secret = password === undefined ? '' : ':***';
  const path =
    kind === 'single'
      ? address.db === 0
        ? ''
        : `/${address.db}`
      : kind === 'sentinel'
        ? `/${encodeURIComponent(address.master)}`
        : '';
  const list = hosts.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`).join(',');
  const at = user + secret === '' ? '' : `${user}${secret}@`;
  return `redis${isTls ? 's' : ''}${kind === 'single' ? '' : `+${kind}`}://${at}${list}${path}`;
}

/** One Redis, a Cluster by some of its servers, or the master that sentinels tell; `rediss` for TLS. */
export function redisUrl(): OptionKind<RedisAddress> {
  return {
    placeholder: 'URL',
    rule: 'redis://[USER:PASSWORD@]HOST[:PORT][/DB], redis+cluster://HOST,HOST or redis+sentinel://HOST,HOST/MASTER',
    parse: parseRedisUrl,
    format: describeRedis,
    carriesSecret: (raw) => /:[^@/]+@/.test(raw.replace(/^[^/]*:\/\//, '')),
  };
}

/** Keeps a text where only a call gets at it. */
export function secret(text: string): () => string {
  return () => text;
}

function parseHost(text: string, defaultPort: number): Host | null {
  const match = HOST.exec(text);
  if (match === null) return null;
  const [, host = '', port] = match;
  const number = port === undefined ? defaultPort : Number(port);
  return number >= 1 && number <= 65_535 ? { host: host.replace(/^\[|\]$/g, ''), port: number } : null;
}
