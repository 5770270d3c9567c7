import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { computeMillion } from '../../bench/plot/arithmetic.ts';
import { drawChart } from '../../bench/plot/chart.ts';
import { chartsOf } from '../../bench/plot/charts.ts';
import { FIGURES, type FigureName, type Values } from '../../bench/plot/figures.ts';
import { remakeTables } from '../../bench/plot/tables.ts';
import type { CellRun, Results } from '../../bench/results.ts';
import type { Metric } from '../../bench/scenarios/scenario.ts';

const SCALING = readFileSync(new URL('../../docs/SCALING.md', import.meta.url), 'utf8');

function resultsOf(...measured: readonly [cell: string, target: string, metric: Metric, value: number][]): Results {
  const runs = measured.map(
    ([cell, target, metric, value], i): CellRun => ({
      cell,
      target,
      run: i,
      calibration: { serverMs: 1, loadMs: 1 },
      metrics: { [metric]: value },
    }),
  );
  return { cores: { server: 0, load: 1 }, nice: 0, targets: {}, cells: [], runs };
}

const ALL = Object.values(FIGURES).map(({ cell, target }): [string, string] => [cell, target]);

/** A figure of 2 for all. */
function everything(): Results {
  const runs = [...new Set(ALL.map(([cell, target]) => `${cell} ${target}`))].map((both): CellRun => {
    const [cell = '', target = ''] = both.split(' ');
    const metrics = Object.fromEntries(Object.values(FIGURES).map(({ metric }) => [metric, 2]));
    return { cell, target, run: 1, calibration: { serverMs: 1, loadMs: 1 }, metrics };
  });
  return { ...resultsOf(), runs };
}

test('a chart has its points, the labels of its axes with units, and a legend', () => {
  const results = resultsOf(
    ['fanout-10', 'bcast', 'cpuUsPerDelivery', 0.4],
    ['fanout-10', 'bcast', 'cpuUsPerDelivery', 0.2],
    ['fanout-1000', 'bcast', 'cpuUsPerDelivery', 0.5],
    ['fanout-100', 'nats', 'cpuUsPerDelivery', 0.3],
  );
  const [drawn, ...others] = chartsOf(results);
  expect(others).toEqual([]);
  expect(drawn?.file).toBe('cost-by-members.svg');
  expect(drawn?.chart.lines).toMatchObject([
    {
      name: 'bcast',
      points: [
        { x: 10, y: expect.closeTo(0.3) },
        { x: 1_000, y: 0.5, spread: 0 },
      ],
    },
    { name: 'nats', points: [{ x: 100, y: 0.3 }] },
  ]);
  const svg = drawChart(drawn?.chart ?? { title: '', xLabel: '', yLabel: '', lines: [] });
  expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" /);
  for (const words of ['members of the one room', 'server CPU, µs a delivery', '>bcast<', '>nats<', '>1,000<']) {
    expect(svg).toContain(words);
  }
  expect(svg.match(/<polyline/g)).toHaveLength(2);
  expect(svg).not.toMatch(/NaN|Infinity|undefined/);
});

test('what is in a chart cannot break out of its text', () => {
  const lines = [{ name: '<a>', points: [{ x: 1, y: 1, spread: 0 }] }];
  const svg = drawChart({ title: 'R&D', xLabel: 'x', yLabel: 'y', lines });
  expect(svg).toContain('R&amp;D');
  expect(svg).not.toContain('<a>');
});

test('a chart without points is refused', () => {
  expect(() => drawChart({ title: 'nothing', xLabel: 'x', yLabel: 'y', lines: [] })).toThrow('nothing to draw');
});

test('docs/SCALING.md has a place for both tables, and names only figures that there are', () => {
  const made = remakeTables(SCALING, everything());
  expect(made).toContain('| `deliveryPacked` | a delivery, where many come at once | 2 ±0 % |');
  expect(made).not.toMatch(/\| not measured|Not computed:|NaN|Infinity/);
  expect(remakeTables(made, everything())).toBe(made);
  const named = [...SCALING.matchAll(/`([a-z]+[A-Z][A-Za-z]*)`/g)].map(([, name]) => name);
  for (const name of named) expect(Object.keys(FIGURES)).toContain(name);
});

test('what was not measured is said, and nothing is computed from it', () => {
  const made = remakeTables(SCALING, resultsOf(['memory', 'bcast-redis', 'residentKiBPerConnection', 20]));
  expect(made).toContain('| `memory` | a session that says nothing | 20 ±0 % |');
  expect(made).toContain('| `idle` | a session that says nothing | not measured |');
  expect(made).toMatch(/Not computed: .*`idle`/);
});

test('a million users are computed from the figures', () => {
  const figures = Object.fromEntries(Object.keys(FIGURES).map((name) => [name as FigureName, 2])) as Values;
  const steps = computeMillion({ ...figures, idle: 20, hearingAlone: 60, memory: 20, leases: 0.2 });
  const value = (what: string) => steps.find((step) => step.what.startsWith(what))?.value;
  // 20 + 49 / 300 × 60 µs, of half a core.
  expect(value('CPU of a node for a user')).toBeCloseTo(29.8);
  expect(value('nodes, each a core')).toBeCloseTo(59.6);
  expect(value('CPU of a lease script')).toBeCloseTo(10);
});
