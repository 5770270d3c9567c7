/** `npm run bench`: measures bcast beside nats-server and ws. See --help. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { makeCertificate } from './certificate.ts';
import { killAllChildren } from './children.ts';
import { makePlan, type Plan } from './plan.ts';
import { renderReport } from './report.ts';
import { type CellRun, type Results, writeResults } from './results.ts';
import { calibrate, runCell } from './run-cell.ts';
import type { Target } from './targets/target.ts';
import { ALL_TARGETS, DEFAULT_TARGETS, findTarget } from './targets/targets.ts';

const HELP = `npm run bench -- [options]

  --quick            one run of short cells, under 90 seconds; too little to compare by
  --only NAME,...    only these cells, or those whose names begin so: ${makePlan(false)
    .cells.map(({ name }) => name)
    .join(' ')}
  --targets NAME,... of ${ALL_TARGETS.map(({ name }) => name).join(', ')}; the first three by default
  --runs N           runs of each cell (2)
  --nice=N           niceness of servers and load (0); below 0 needs the right to, and keeps other programs out
  --json FILE        where the figures go (bench/results/latest.json)
`;

const CORES = { server: 0, load: 1 };
const DEFAULT_JSON = join(import.meta.dirname, 'results', 'latest.json');

function readArguments() {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      targets: { type: 'string' },
      runs: { type: 'string' },
      nice: { type: 'string', default: '0' },
      json: { type: 'string', default: DEFAULT_JSON },
      help: { type: 'boolean', default: false },
    },
  });
  const plan = makePlan(values.quick);
  const cells = selectCells(plan, values.only?.split(',') ?? ['']);
  const runs = values.runs === undefined ? plan.runs : Number.parseInt(values.runs, 10);
  if (!(runs >= 1)) throw new Error(`--runs ${values.runs} is not a number of runs`);
  const targets = values.targets?.split(',').map(findTarget) ?? DEFAULT_TARGETS;
  const nice = Number.parseInt(values.nice, 10);
  if (!(nice >= -20 && nice <= 19)) throw new Error(`--nice ${values.nice} is not from -20 to 19`);
  return { help: values.help, json: values.json, plan: { runs, cells }, targets, nice };
}

/** A word selects the cell of that name or, when there is none, those whose names begin with it. */
function selectCells({ cells }: Plan, words: readonly string[]): Plan['cells'] {
  const selected = new Set(
    words.flatMap((word) => {
      const exact = cells.filter(({ name }) => name === word);
      const found = exact.length > 0 ? exact : cells.filter(({ name }) => name.startsWith(word));
      if (found.length === 0) throw new Error(`no cell is called ${word} or begins so`);
      return found;
    }),
  );
  return cells.filter((cell) => selected.has(cell));
}

const COMMANDS = [
  { command: 'taskset', args: ['--version'], debianPackage: 'util-linux' },
  { command: 'nice', args: ['--version'], debianPackage: 'coreutils' },
  { command: 'openssl', args: ['version'], debianPackage: 'openssl' },
];

function checkMachine(nice: number): void {
  if (process.platform !== 'linux') throw new Error('the bench reads /proc and pins with taskset: it needs Linux');
  if (availableParallelism() < 2) throw new Error('the bench needs two cores, one for the server, one for the load');
  for (const { command, args, debianPackage } of COMMANDS) {
    const { error } = spawnSync(command, args);
    if (error) throw new Error(`${command} is missing (Debian: apt-get install ${debianPackage})`, { cause: error });
  }
  const granted = Number(spawnSync('nice', ['-n', String(nice), 'nice'], { encoding: 'utf8' }).stdout);
  if (granted !== nice) throw new Error(`niceness ${nice} is not permitted to this account; it got ${granted}`);
}

/** Targets take turns inside each cell, so that a drift of the machine touches all alike. */
async function measure(plan: Plan, targets: readonly Target[], nice: number, directory: string): Promise<CellRun[]> {
  const options = { directory, certificate: makeCertificate(directory) };
  const done: CellRun[] = [];
  for (const { name, cell } of plan.cells) {
    for (let run = 1; run <= plan.runs; run++) {
      for (const target of targets) {
        const calibration = await calibrate(CORES, nice);
        const reply = await runCell(target, cell, CORES, nice, options);
        const base = { cell: name, target: target.name, run, calibration };
        const entry: CellRun =
          'failure' in reply ? { ...base, failure: reply.failure } : { ...base, ...reply.outcome, wire: reply.wire };
        done.push(entry);
        process.stderr.write(`${name} run ${run} ${target.name}: ${describe(entry)}\n`);
      }
    }
  }
  return done;
}

function describe({ failure, metrics = {} }: CellRun): string {
  if (failure !== undefined) return `FAILED: ${failure}`;
  return Object.entries(metrics)
    .map(([metric, value]) => `${metric} ${Number(value.toPrecision(4))}`)
    .join(', ');
}

async function main(): Promise<void> {
  const { help, json, plan, targets, nice } = readArguments();
  if (help) {
    process.stdout.write(HELP);
    return;
  }
  checkMachine(nice);
  const versions: Record<string, string> = {};
  for (const target of targets) versions[target.name] = target.prepare();
  const directory = mkdtempSync(join(tmpdir(), 'bcast-bench-'));
  // Whatever ends the bench, nothing it started outlives it.
  process.on('exit', () => {
    killAllChildren();
    rmSync(directory, { recursive: true, force: true });
  });
  process.once('SIGINT', () => process.exit(130));
  process.once('SIGTERM', () => process.exit(143));
  const runs = await measure(plan, targets, nice, directory);
  const results: Results = { cores: CORES, nice, targets: versions, cells: plan.cells, runs };
  writeResults(json, results);
  process.stdout.write(`${renderReport(results)}\n\nWritten to ${json}\n`);
  if (runs.some(({ failure }) => failure !== undefined)) process.exitCode = 1;
}

await main().catch((error: unknown) => {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
