import { BcastError } from '../errors.ts';
import { MAX_MOTD_BYTES } from '../limits.ts';
import { withoutSecrets } from './mask.ts';
import { type Option, SERVER_OPTIONS, type ServerOptions } from './options.ts';

export interface ServerConfig extends ServerOptions {
  readonly dataDir: string;
  /** For people: the program and its version. */
  readonly serverName: string;
}

/** An option that was read with another value than before, both as they would be typed; null where it is unset. */
export interface OptionChange {
  readonly option: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** What came of reading the configuration again. */
export interface Reloaded {
  /** These hold from now on. */
  readonly changed: readonly OptionChange[];
  /** These were read too, and wait for a restart. */
  readonly waiting: readonly OptionChange[];
}

type Key = keyof typeof SERVER_OPTIONS;

/** The configuration of a running server. */
export class LiveConfig {
  /** One object for the server's whole life: whoever holds it and reads it at each use sees what a reload changes. */
  readonly values: ServerConfig;

  /** Throws CONFIG for values that cannot be. */
  constructor(config: ServerConfig) {
    checkMotd(config);
    this.values = { ...config };
  }

  /** Takes over what a running server can. Throws CONFIG, and then nothing has changed. */
  reload(next: ServerConfig): Reloaded {
    checkMotd(next);
    const changed: OptionChange[] = [];
    const waiting: OptionChange[] = [];
    for (const key of Object.keys(SERVER_OPTIONS) as Key[]) {
      const option = SERVER_OPTIONS[key] as Option<unknown>;
      const [before, after] = [textOf(option, this.values[key]), textOf(option, next[key])];
      if (before === after) continue;
      const change = { option: option.name, before: masked(before), after: masked(after) };
      if (option.live) changed.push(change);
      else waiting.push(change);
      if (option.live) Object.assign(this.values, { [key]: next[key] });
    }
    return { changed, waiting };
  }
}

function textOf({ kind }: Option<unknown>, value: unknown): string | null {
  return value === undefined ? null : kind.format(value);
}

function masked(text: string | null): string | null {
  return text === null ? null : withoutSecrets(text);
}

/** Throws CONFIG for a line that would not fit into the message that carries it. */
function checkMotd({ motd }: ServerConfig): void {
  if (motd === undefined || Buffer.byteLength(motd) <= MAX_MOTD_BYTES) return;
  throw new BcastError('CONFIG', { text: `The motd is longer than ${MAX_MOTD_BYTES} bytes.` });
}
