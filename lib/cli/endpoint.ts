import { parseServerUrl, type ServerAddress, sameRoom } from '../client/address.ts';
import type { ConnectOptions, TrustPolicy } from '../client/client.ts';
import { nameOfAccount, type ProfileFiles, profileFiles, rememberedName } from '../client/profile.ts';
import { type Environment, readEnvironment, readSources } from '../config/environment.ts';
import { type Loaded, loadOptions } from '../config/load.ts';
import { type LocalServer, localServers } from '../config/local-server.ts';
import { CLIENT_OPTIONS, type ClientOptions } from '../config/options.ts';
import { BcastError } from '../errors.ts';
import { secretOf } from './secrets.ts';
import type { VerbInput } from './verb.ts';

/** Where a verb connects to, as whom, and where to: the flags, the URL, the environment and the files put together. */
export interface Endpoint {
  readonly connect: Omit<ConnectOptions, 'user'>;
  /** The name that was asked for: -u, the URL's, BCAST_USER or a file; undefined when none was. */
  readonly user: string | undefined;
  /** The rooms of -r, else the URL's, else BCAST_ROOM or the default. */
  readonly rooms: readonly string[];
  /** Of the locked ones among them, unless it stands in the URL. */
  readonly code: string | undefined;
  /** Whether anybody named a room at all. */
  readonly isRoomNamed: boolean;
  readonly environment: Environment;
  readonly files: ProfileFiles;
}

/** `url` is a verb's own argument. Throws USAGE and CONFIG, and CONNECT_FAILED when there is no server to be found. */
export function findEndpoint({ flags, lists }: VerbInput, url: string | undefined): Endpoint {
  if (url !== undefined && flags['server'] !== undefined) {
    throw new BcastError('USAGE', { text: 'The server is named twice, by a URL and by --server.' });
  }
  const environment = readEnvironment();
  const loaded = loadOptions<ClientOptions>(CLIENT_OPTIONS, readSources(flags, environment));
  const local = localServers(environment.directories);
  const address = addressOf(url ?? loaded.values.server, local);
  const files = profileFiles(environment.directories);
  const { values, origins } = loaded;
  const rooms = lists['room'] ?? [address.room ?? values.room];
  const password = secretOf(loaded, 'password');
  return {
    connect: {
      server: address,
      suite: values.suite,
      agent: 'bcast',
      trust: trustOf(loaded, address, files, environment),
      ...(password !== undefined && { password }),
    },
    user: origins.user === 'flag' ? values.user : (address.user ?? values.user),
    rooms,
    code: codeFor(rooms, address, loaded),
    isRoomNamed: lists['room'] !== undefined || address.room !== undefined || origins.room !== 'default',
    environment,
    files,
  };
}

/** A name without asking anybody: the remembered one, or the account's made into one. */
export function unaskedName({ user, files, environment }: Endpoint): string {
  return user ?? rememberedName(files) ?? nameOfAccount(environment.account);
}

function addressOf(named: string | undefined, [newest]: readonly LocalServer[]): ServerAddress {
  if (named !== undefined) return parseServerUrl(named);
  if (newest !== undefined) return { host: newest.host, port: newest.port };
  throw new BcastError('CONNECT_FAILED', {
    text: 'No server is named, and none of yours runs on this machine: run "bcast start", or give --server URL.',
  });
}

/** The URL's code goes before a variable's: it was given for this very connection. The client itself knows it by its room. */
function codeFor(
  rooms: readonly string[],
  { room, code }: ServerAddress,
  loaded: Loaded<ClientOptions>,
): string | undefined {
  const isForRooms = code !== undefined && (room === undefined || rooms.some((name) => sameRoom(name, room)));
  if (!isForRooms || loaded.origins.codeFile === 'flag') return secretOf(loaded, 'code');
  return room === undefined ? code : undefined;
}

function trustOf(
  { values, origins }: Loaded<ClientOptions>,
  { fingerprint }: ServerAddress,
  { knownServers }: ProfileFiles,
  { directories }: Environment,
): TrustPolicy {
  const isDemanded = origins.fingerprint === 'flag';
  if (isDemanded && fingerprint !== undefined && fingerprint !== values.fingerprint) {
    throw new BcastError('USAGE', { text: 'The URL and --fingerprint demand different server identities.' });
  }
  const pinned = fingerprint ?? values.fingerprint;
  return {
    knownServers,
    // Looked up for each connection: a server that was started anew has a new key.
    localServers: () => localServers(directories),
    acceptNew: values.acceptNew,
    ...(pinned !== undefined && { fingerprint: pinned }),
  };
}
