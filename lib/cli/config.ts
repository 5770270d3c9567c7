import { readEnvironment, readSources, userFile } from '../config/environment.ts';
import { loadOptions, type Origin } from '../config/load.ts';
import { withoutSecrets } from '../config/mask.ts';
import { CLIENT_OPTIONS, type Option, SERVER_OPTIONS } from '../config/options.ts';
import type { Verb } from './verb.ts';

interface Row {
  readonly option: string;
  readonly env: string;
  readonly value: string | null;
  readonly origin: Origin;
  /** Whether a running server takes a new value; only options of servers have that. */
  readonly live: boolean;
}

/** `bcast config`: what holds here and why. A value that is not valid ends it with exit code 2, as it would any verb. */
export const config: Verb = {
  args: [],
  flags: [{ name: 'json', help: 'As one JSON object for each option.' }],
  examples: [
    ['bcast config', 'every option, its value and its origin'],
    ['bcast config --json | jq .value', 'for programs'],
  ],
  notes:
    "Flags go before the environment, that before .env in the working directory, and that before the account's file.",
  async run({ flags }) {
    const environment = readEnvironment();
    const sources = readSources({}, environment);
    const rows = [SERVER_OPTIONS, CLIENT_OPTIONS].flatMap((table) => rowsOf(table, loadOptions(table, sources)));
    const lines = flags['json'] === undefined ? renderTable(rows) : rows.map((row) => JSON.stringify(row));
    process.stdout.write(lines.map((line) => `${line}\n`).join(''));
    if (flags['json'] === undefined) process.stderr.write(`The account's file: ${userFile(environment.directories)}\n`);
    return 0;
  },
};

type Table = Readonly<Record<string, Option<unknown>>>;

function rowsOf(table: Table, loaded: ReturnType<typeof loadOptions<Readonly<Record<string, unknown>>>>): Row[] {
  return Object.entries(table).map(([key, { name, env, kind, live, isSecret }]) => {
    const value = loaded.values[key];
    const shown = value === undefined ? null : withoutSecrets((kind.format as (value: unknown) => string)(value));
    const text = shown !== null && isSecret === true ? '***' : shown;
    return { option: name, env, value: text, origin: loaded.origins[key] as Origin, live };
  });
}

function renderTable(rows: readonly Row[]): string[] {
  const width = (key: 'env' | 'value') => Math.max(...rows.map((row) => (row[key] ?? '').length));
  const [envWidth, valueWidth] = [width('env'), Math.min(40, width('value'))];
  return rows.map(
    ({ env, value, origin }) => `${env.padEnd(envWidth)}  ${(value ?? '').padEnd(valueWidth)}  ${origin}`,
  );
}
