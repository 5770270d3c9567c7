import { type CellRun, figureOf, type Results } from './results.ts';
import type { Metric } from './scenarios/scenario.ts';

interface MetricRow {
  readonly label: string;
  readonly digits: number;
  /** The unit shown is this many of the metric's own. */
  readonly per: number;
}

const METRICS: Record<Metric, MetricRow> = {
  cpuUsPerDelivery: { label: 'server CPU us/delivery', digits: 2, per: 1 },
  deliveriesPerS: { label: 'thousand deliveries/s', digits: 0, per: 1_000 },
  p50Ms: { label: 'latency p50 ms', digits: 2, per: 1 },
  p99Ms: { label: 'latency p99 ms', digits: 2, per: 1 },
  sliceP99Ms: { label: 'p99 ms, median of 0.1 s slices', digits: 2, per: 1 },
  cpuUsPerAck: { label: 'server CPU us/acknowledgement', digits: 1, per: 1 },
  acksPerS: { label: 'acknowledgements/s', digits: 0, per: 1 },
  cpuUsPerConnection: { label: 'server CPU us/connection', digits: 0, per: 1 },
  connectionsPerS: { label: 'connections/s', digits: 0, per: 1 },
  residentKiBPerConnection: { label: 'resident KiB/connection', digits: 1, per: 1 },
};

const BASELINES = ['nats', 'ws'];

/** A core busier than this counts as full. Where only the load's is, the load decides how much is delivered. */
const FULL_SHARE = 0.95;

/** The whole report: figures with ratios, who kept which core busy, and the machine's noise. */
export function renderReport(results: Results): string {
  return [
    renderTable(figureRows(results)),
    renderTable(usageRows(results)),
    renderNoise(results),
    renderFailures(results),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function figureRows(results: Results): string[][] {
  const targets = Object.keys(results.targets);
  const ratios = ratioPairs(targets);
  const rows = [['cell', 'metric', ...targets, ...ratios.map(([a, b]) => `${a}/${b}`)]];
  for (const { name } of results.cells) {
    for (const metric of Object.keys(METRICS) as Metric[]) {
      const figures = new Map(targets.map((target) => [target, figureOf(results, name, target, metric)]));
      if ([...figures.values()].every((figure) => figure === undefined)) continue;
      const { label, digits, per } = METRICS[metric];
      const cells = targets.map((target) => {
        const figure = figures.get(target);
        if (figure === undefined) return 'FAILED';
        return `${(figure.mean / per).toFixed(digits)} ±${Math.round(figure.spread * 100)}%`;
      });
      const shares = ratios.map(([a, b]) => {
        const [above, below] = [figures.get(a), figures.get(b)];
        return above === undefined || below === undefined ? '-' : (above.mean / below.mean).toFixed(2);
      });
      rows.push([name, label, ...cells, ...shares]);
    }
  }
  return rows;
}

/** Every bcast column against both baselines; without bcast, the baselines against each other. */
function ratioPairs(targets: readonly string[]): [string, string][] {
  const own = targets.filter((target) => !BASELINES.includes(target));
  const subjects = own.length > 0 ? own : ['ws'];
  return subjects.flatMap((subject) =>
    BASELINES.filter((baseline) => baseline !== subject && targets.includes(baseline)).map(
      (baseline): [string, string] => [subject, baseline],
    ),
  );
}

function usageRows({ targets, cells, runs }: Results): string[][] {
  const names = Object.keys(targets);
  const rows = [['cores busy: server/load/others %', ...names]];
  for (const { name } of cells) {
    const columns = names.map((target) => {
      const usages = runs.flatMap((run) => (run.cell === name && run.target === target && run.usage) || []);
      if (usages.length === 0) return '-';
      const mean = (pick: (usage: (typeof usages)[number]) => number) =>
        usages.reduce((sum, usage) => sum + pick(usage), 0) / usages.length;
      const [server, load] = [mean((usage) => usage.serverShare), mean((usage) => usage.loadShare)];
      const shares = [server, load, mean((usage) => usage.foreignShare)];
      const text = shares.map((share) => Math.round(share * 100)).join('/');
      return load >= FULL_SHARE && server < FULL_SHARE ? `${text} LOAD-BOUND` : text;
    });
    rows.push([name, ...columns]);
  }
  return rows;
}

function renderNoise({ runs, targets }: Results): string {
  const line = (what: string, unit: string, values: number[]) => {
    const sorted = values.toSorted((a, b) => a - b);
    const at = (q: number) => (sorted[Math.floor((sorted.length - 1) * q)] ?? Number.NaN).toFixed(1);
    return `  ${what}: best ${at(0)}, median ${at(0.5)}, worst ${at(1)} ${unit}`;
  };
  const serverMs = runs.map(({ calibration }) => calibration.serverMs);
  const loadMs = runs.map(({ calibration }) => calibration.loadMs);
  const waitShares = runs.flatMap(({ usage }) => (usage === undefined ? [] : [usage.loadWaitShare * 100]));
  const wires = Object.keys(targets).map((target) => {
    const wire = runs.find((run) => run.target === target && run.wire !== undefined)?.wire ?? 'never connected';
    return `  ${target}: ${targets[target]}; ${wire}`;
  });
  return [
    'Noise',
    line('a fixed piece of work on the server core', 'ms', serverMs),
    line('the same on the load core', 'ms', loadMs),
    line('load ready but waiting for its core', '% of the time', waitShares),
    'Targets',
    ...wires,
  ].join('\n');
}

function renderFailures({ runs }: Results): string {
  const failed = runs.filter((run): run is CellRun & { failure: string } => run.failure !== undefined);
  return failed.map(({ cell, target, run, failure }) => `FAILED ${cell} ${target} run ${run}: ${failure}`).join('\n');
}

function renderTable(rows: readonly string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const render = (row: string[]) =>
    row
      .map((text, column) => (column === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[column] ?? 0)))
      .join('  ');
  return rows.map(render).join('\n');
}
