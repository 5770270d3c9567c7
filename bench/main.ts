/** `npm run bench`: measures bcast, beside nats-server and ws and by itself. See --help. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { makeCertificate } from './certificate.ts';
import { killAllChildren } from './children.ts';
import type { Cell } from './job.ts';
import { makePlan, type Plan, type PlannedCell } from './plan.ts';
import { renderReport } from './report.ts';
import { type CellRun, type Results, writeResults } from './results.ts';
import { calibrate, runCell } from './run-cell.ts';
import type { Target } from './targets/target.ts';
import { ALL_TARGETS, findTarget } from './targets/targets.ts';

const HELP = `npm run bench -- [options]

  --quick            one run of short cells, under three minutes; too little to compare by
  --all              those that take long, too: ${cellNames((cell) => cell.isHeavy === true)}
  --only NAME,...    only these cells, or those whose names begin so: ${cellNames(() => true)}
  --targets NAME,... only these, where a cell can be run with them: ${ALL_TARGETS.map(({ name }) => name).join(' ')}
  --runs N           runs of each cell (2)
  --nice=N           niceness of servers and load (0); below 0 needs the right to, and keeps other programs out
  --json FILE        where the figures go (bench/results/latest.json)
`;

function cellNames(isWanted: (cell: PlannedCell) => boolean): string {
  return makePlan(false)
    .cells.filter(isWanted)
    .map(({ name }) => name)
    .join(' ');
}

const CORES = { server: 0, load: 1 };
const DEFAULT_JSON = join(import.meta.dirname, 'results', 'latest.json');

function readArguments() {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      all: { type: 'boolean', default: false },
      only: { type: 'string' },
      targets: { type: 'string' },
      runs: { type: 'string' },
      nice: { type: 'string', default: '0' },
      json: { type: 'string', default: DEFAULT_JSON },
      help: { type: 'boolean', default: false },
    },
  });
  const plan = makePlan(values.quick);
  const named = values.only?.split(',');
  const chosen =
    named === undefined ? plan.cells.filter((cell) => values.all || !cell.isHeavy) : namedCells(plan, named);
  const cells = withTargets(chosen, values.targets?.split(',').map(findTarget));
  const runs = values.runs === undefined ? plan.runs : Number.parseInt(values.runs, 10);
  if (!(runs >= 1)) throw new Error(`--runs ${values.runs} is not a number of runs`);
  const nice = Number.parseInt(values.nice, 10);
  if (!(nice >= -20 && nice <= 19)) throw new Error(`--nice ${values.nice} is not from -20 to 19`);
  return { help: values.help, json: values.json, plan: { runs, cells }, nice };
}

/** A word selects the cell of that name or, when there is none, those whose names begin with it. */
function namedCells({ cells }: Plan, words: readonly string[]): Plan['cells'] {
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

/** Scenarios of which every target is capable. */
const FOR_ALL: ReadonlySet<Cell['scenario']> = new Set([
  'fanout',
  'waiting',
  'acks',
  'steady',
  'connections',
  'memory',
]);

/** The cells with those of the wanted targets that can run them, if any were asked for. */
function withTargets(cells: Plan['cells'], wanted: readonly Target[] | undefined): Plan['cells'] {
  if (wanted === undefined) return cells;
  const names = wanted.map(({ name }) => name);
  const narrowed = cells.map((cell) => ({
    ...cell,
    targets: names.filter((name) => FOR_ALL.has(cell.cell.scenario) || cell.targets.includes(name)),
  }));
  return narrowed.filter(({ targets }) => targets.length > 0);
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
async function measure(plan: Plan, nice: number, directory: string): Promise<CellRun[]> {
  const certificate = makeCertificate(directory);
  const done: CellRun[] = [];
  for (const { name, cell, targets, stock } of plan.cells) {
    const options = { directory, certificate, stock };
    for (let run = 1; run <= plan.runs; run++) {
      for (const target of targets.map(findTarget)) {
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
  const { help, json, plan, nice } = readArguments();
  if (help) {
    process.stdout.write(HELP);
    return;
  }
  checkMachine(nice);
  const used = new Set(plan.cells.flatMap(({ targets }) => targets));
  const versions: Record<string, string> = {};
  for (const target of ALL_TARGETS.filter(({ name }) => used.has(name))) versions[target.name] = target.prepare();
  const directory = mkdtempSync(join(tmpdir(), 'bcast-bench-'));
  // Whatever ends the bench, nothing it started outlives it.
  process.on('exit', () => {
    killAllChildren();
    rmSync(directory, { recursive: true, force: true });
  });
  process.once('SIGINT', () => process.exit(130));
  process.once('SIGTERM', () => process.exit(143));
  const runs = await measure(plan, nice, directory);
  const results: Results = { cores: CORES, nice, targets: versions, cells: plan.cells, runs };
  writeResults(json, results);
  process.stdout.write(`${renderReport(results)}\n\nWritten to ${json}\n`);
  if (runs.some(({ failure }) => failure !== undefined)) process.exitCode = 1;
}

await main().catch((error: unknown) => {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
