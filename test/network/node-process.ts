import { once } from 'node:events';
import { expect } from 'vitest';
import { type Account, newAccount } from '../e2e/bcast.ts';

/** A real server process. */
export interface NodeProcess {
  readonly port: number;
  readonly fingerprint: string;
  /** What it has logged so far. */
  log(): string;
  /** Ends it as `kill -9` does; resolves when the system has. */
  kill(): Promise<void>;
  /** Whether it still runs. */
  readonly isRunning: boolean;
}

/** As many connections as tests make, all from one address. */
const ROOMY = {
  BCAST_CONNECT_ATTEMPTS: '100000',
  BCAST_MAX_CONNECTIONS_PER_ADDRESS: '10000',
  BCAST_LOG_LEVEL: 'debug',
};

/** Servers that share a Redis and a key, one after the other; they end with the test. */
export async function startNodes(
  redisUrls: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<NodeProcess[]> {
  const account = newAccount();
  const nodes: NodeProcess[] = [];
  for (const url of redisUrls) nodes.push(await startNode(account, { BCAST_REDIS_URL: url, ...env }));
  return nodes;
}

async function startNode(account: Account, env: Readonly<Record<string, string>>): Promise<NodeProcess> {
  const run = account.start(['start', '--port', '0'], { ...ROOMY, ...env });
  await run.until(/\n/);
  const [, port, fingerprint = ''] = /:(\d+)\?fp=(\S+)/.exec(run.stdout()) ?? [];
  const { child } = run;
  return {
    port: Number(port),
    fingerprint,
    log: run.stderr,
    get isRunning() {
      return child.exitCode === null && child.signalCode === null;
    },
    async kill() {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}

/** No server had to be restarted, and none found a fault of its own. */
export function expectSound(nodes: readonly NodeProcess[]): void {
  for (const node of nodes) {
    expect(node.isRunning).toBe(true);
    const faults = node
      .log()
      .split('\n')
      .filter((line) => line.includes('"level":50') || line.includes('"level":60'));
    expect(faults).toEqual([]);
  }
}

/** For people who look at what a test has measured. */
export function report(what: string, figures: Readonly<Record<string, number | string>>): void {
  const text = Object.entries(figures).map(([name, value]) => `${name} ${value}`);
  process.stdout.write(`measured, ${what}: ${text.join(', ')}\n`);
}
