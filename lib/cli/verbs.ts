import type { NamedVerb, Verb } from './verb.ts';

interface VerbEntry {
  readonly summary: string;
  load(): Promise<Verb>;
}

/** Every verb. Nothing of a verb is loaded until it is asked for: `bcast --version` must not wait for a server. */
export const VERBS: Readonly<Record<string, VerbEntry>> = {
  start: { summary: 'Run a server here.', load: async () => (await import('./start.ts')).start },
  demo: {
    summary: 'Run several servers here as one network.',
    load: async () => (await import('./demo.ts')).demo,
  },
  connect: {
    summary: 'Talk: full screen on a terminal, lines in a pipe.',
    load: async () => (await import('./connect.ts')).connect,
  },
  send: { summary: 'Send a message, or every line of stdin.', load: async () => (await import('./send.ts')).send },
  tail: { summary: 'Print what is said.', load: async () => (await import('./tail.ts')).tail },
  history: { summary: 'Print what was said, and end.', load: async () => (await import('./history.ts')).history },
  search: {
    summary: 'Find words in what the server keeps of a room.',
    load: async () => (await import('./search.ts')).search,
  },
  status: {
    summary: 'Look at a server from outside: is it up, is it the right one.',
    load: async () => (await import('./status.ts')).status,
  },
  user: {
    summary: 'Who is registered: add, change, remove, import.',
    load: async () => (await import('./user.ts')).user,
  },
  whoami: {
    summary: 'Show who you are to others, and where that is kept.',
    load: async () => (await import('./whoami.ts')).whoami,
  },
  config: {
    summary: 'Show every option, its value and where it came from.',
    load: async () => (await import('./config.ts')).config,
  },
  admin: {
    summary: 'Look after your server: status, rooms, sessions, bans.',
    load: async () => (await import('./admin.ts')).admin,
  },
  reload: {
    summary: 'Make your server read its configuration again.',
    load: async () => (await import('./reload.ts')).reload,
  },
  backup: {
    summary: 'Copy what your server keeps into a file.',
    load: async () => (await import('./backup.ts')).backup,
  },
  completion: {
    summary: 'Print completion for your shell.',
    load: async () => (await import('./completion.ts')).completion,
  },
};

/** Every verb, loaded. */
export function loadVerbs(): Promise<readonly NamedVerb[]> {
  return Promise.all(
    Object.entries(VERBS).map(async ([name, { summary, load }]) => ({ name, summary, verb: await load() })),
  );
}
