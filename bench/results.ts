import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Cores, describeMachine, type Usage } from './machine.ts';
import type { PlannedCell } from './plan.ts';
import type { Metric } from './scenarios/scenario.ts';

export interface Calibration {
  readonly serverMs: number;
  readonly loadMs: number;
}

/** One run of one cell against one target; without metrics it failed. */
export interface CellRun {
  readonly cell: string;
  readonly target: string;
  readonly run: number;
  readonly calibration: Calibration;
  readonly metrics?: Partial<Record<Metric, number>>;
  readonly usage?: Usage;
  readonly wire?: string;
  readonly failure?: string;
}

export interface Results {
  readonly cores: Cores;
  readonly nice: number;
  /** Versions by target, in the order of the columns. */
  readonly targets: Readonly<Record<string, string>>;
  readonly cells: readonly PlannedCell[];
  readonly runs: readonly CellRun[];
}

export interface Figure {
  readonly mean: number;
  /** Half the distance between the runs, as a share of their mean. */
  readonly spread: number;
}

/** A target's figure over its runs, or nothing when one of them failed or the scenario does not have this metric. */
export function figureOf({ runs }: Results, cell: string, target: string, metric: Metric): Figure | undefined {
  const values = runs.filter((run) => run.cell === cell && run.target === target).map((run) => run.metrics?.[metric]);
  const known = values.filter((value) => value !== undefined);
  if (known.length === 0 || known.length < values.length) return undefined;
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
  return { mean, spread: mean === 0 ? 0 : (Math.max(...known) - Math.min(...known)) / 2 / mean };
}

/** Writes everything measured, with what it was measured on. */
export function writeResults(file: string, results: Results): void {
  const head = { commit: commit(), date: new Date().toISOString(), machine: describeMachine() };
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ ...head, ...results }, null, 2)}\n`);
}

function commit(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty', '--abbrev=12'], {
      cwd: import.meta.dirname,
      encoding: 'utf8',
      stdio: 'pipe',
    }).trim();
  } catch {
    return 'unknown';
  }
}
