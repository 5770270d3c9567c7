import { accountFingerprint } from '../client/account.ts';
import { nameOfAccount, profileFiles, rememberedName } from '../client/profile.ts';
import { readEnvironment, readSources, userFile } from '../config/environment.ts';
import { loadOptions } from '../config/load.ts';
import { CLIENT_OPTIONS, type ClientOptions } from '../config/options.ts';
import type { Verb } from './verb.ts';

/** `bcast whoami`: what others see of this account, and where it is kept. */
export const whoami: Verb = {
  args: [],
  flags: [{ name: 'json', help: 'As one JSON object.' }],
  examples: [['bcast whoami', 'your name, your fingerprint and your files']],
  notes: 'Your fingerprint is yours as long as the identity file is. Copy that file to be the same person elsewhere.',
  async run({ flags }) {
    const environment = readEnvironment();
    const { directories } = environment;
    const { values } = loadOptions<ClientOptions>(CLIENT_OPTIONS, readSources({}, environment));
    const files = profileFiles(directories);
    const about = {
      name: values.user ?? rememberedName(files) ?? nameOfAccount(environment.account),
      fingerprint: accountFingerprint(files),
      identity: files.identity,
      knownServers: files.knownServers,
      config: userFile(directories),
    };
    const width = Math.max(...Object.keys(about).map((key) => key.length));
    const lines =
      flags['json'] === undefined
        ? Object.entries(about).map(([key, value]) => `${key.padEnd(width)}  ${value}`)
        : [JSON.stringify(about)];
    process.stdout.write(lines.map((line) => `${line}\n`).join(''));
    return 0;
  },
};
