import { METRICS } from './metrics.ts';
import type { PlannedCell } from './plan.ts';
import { type CellRun, figureOf, type Results } from './results.ts';
import type { Metric } from './scenarios/scenario.ts';

const BASELINES = ['nats', 'ws'];

/** A core busier than this counts as full. Where only the load's is, the load decides how much is delivered. */
const FULL_SHARE = 0.95;

/** The whole report: figures with ratios, who kept which core busy, and the machine's noise. */
export function renderReport(results: Results): string {
  const groups = [...Map.groupBy(results.cells, ({ targets }) => targets.join(' ')).values()];
  return [
    ...groups.map((cells) => renderTable(figureRows(results, cells))),
    ...groups.map((cells) => renderTable(usageRows(results, cells))),
    renderNoise(results),
    renderFailures(results),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

/** Of cells that have the same targets. */
function figureRows(results: Results, cells: readonly PlannedCell[]): string[][] {
  const targets = cells[0]?.targets ?? [];
  const ratios = ratioPairs(targets);
  const rows = [['cell', 'metric', ...targets, ...ratios.map(([a, b]) => `${a}/${b}`)]];
  for (const { name } of cells) {
    for (const metric of Object.keys(METRICS) as Metric[]) {
      const figures = new Map(targets.map((target) => [target, figureOf(results, name, target, metric)]));
      if ([...figures.values()].every((figure) => figure === undefined)) continue;
      const { label, digits, per } = METRICS[metric];
      const columns = targets.map((target) => {
        const figure = figures.get(target);
        if (figure === undefined) return hasFailed(results, name, target) ? 'FAILED' : '-';
        return `${(figure.mean / per).toFixed(digits)} ±${Math.round(figure.spread * 100)}%`;
      });
      const shares = ratios.map(([a, b]) => {
        const [above, below] = [figures.get(a), figures.get(b)];
        return above === undefined || below === undefined || below.mean === 0
          ? '-'
          : (above.mean / below.mean).toFixed(2);
      });
      rows.push([name, label, ...columns, ...shares]);
    }
  }
  return rows;
}

function hasFailed({ runs }: Results, cell: string, target: string): boolean {
  return runs.some((run) => run.cell === cell && run.target === target && run.failure !== undefined);
}

/** The first bcast column against both baselines, and every other against it; without bcast, the baselines themselves. */
function ratioPairs(targets: readonly string[]): [string, string][] {
  const [first, ...others] = targets.filter((target) => !BASELINES.includes(target));
  const baselines = BASELINES.filter((baseline) => targets.includes(baseline));
  if (first === undefined) return baselines.length < 2 ? [] : [['ws', 'nats']];
  const against = baselines.map((baseline): [string, string] => [first, baseline]);
  return [...against, ...others.map((other): [string, string] => [other, first])];
}

function usageRows({ runs }: Results, cells: readonly PlannedCell[]): string[][] {
  const names = cells[0]?.targets ?? [];
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
