import { readEnvironment } from '../config/environment.ts';
import type { OptionChange } from '../config/live-config.ts';
import type { OperationResult } from '../server/admin/operations.ts';
import { print } from './admin.ts';
import { askServer, findServer, WHICH_FLAGS } from './admin-client.ts';
import type { Verb } from './verb.ts';

/** `bcast reload`: makes a running server read its configuration again. */
export const reload: Verb = {
  args: [],
  flags: [...WHICH_FLAGS, { name: 'json', help: 'As one JSON object.' }],
  examples: [['bcast reload', 'take over what changed in .env and in the config file']],
  notes: `The flags and the environment of a process cannot change while it runs, and go before .env and the account's config
file; so only what stands in those two can. A configuration that is not valid changes nothing. SIGHUP does the same.`,
  async run({ flags }) {
    const server = findServer(flags, readEnvironment().directories);
    const reloaded = await askServer(server, 'reload', {});
    print({ text: reloadText(reloaded), json: [reloaded] }, flags['json'] !== undefined);
    return 0;
  },
};

function reloadText({ changed, waiting }: OperationResult<'reload'>): string[] {
  if (changed.length + waiting.length === 0) return ['Nothing has changed.'];
  return [...changed.map(changeText), ...waiting.map((change) => `${changeText(change)}  (needs a restart)`)];
}

function changeText({ option, before, after }: OptionChange): string {
  return `${option}: ${before ?? 'unset'} -> ${after ?? 'unset'}`;
}
