import { figureOf, type Results } from '../results.ts';
import type { Metric } from '../scenarios/scenario.ts';
import type { Chart, Line } from './chart.ts';

/** Cells whose names differ by what is on the x axis. */
interface Series {
  readonly file: string;
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly lines: readonly { readonly name: string; readonly metric: Metric; readonly points: readonly Point[] }[];
}

interface Point {
  readonly x: number;
  readonly cell: string;
  readonly target: string;
}

const overMembers = (target: string): Point[] => [10, 100, 1_000].map((x) => ({ x, cell: `fanout-${x}`, target }));
const overRooms = (target: string): Point[] => [1, 10, 100, 1_000].map((x) => ({ x, cell: `rooms-${x}`, target }));
const overNodes = (cell: string): Point[] =>
  [1, 2, 4].map((x) => ({ x, cell, target: x === 1 ? 'bcast-redis' : `bcast-${x}-nodes` }));

const SERIES: readonly Series[] = [
  {
    file: 'cost-by-members.svg',
    title: 'What a delivery costs, by members of the room',
    xLabel: 'members of the one room',
    yLabel: 'server CPU, µs a delivery',
    lines: ['bcast', 'nats', 'ws'].map((target) => ({
      name: target,
      metric: 'cpuUsPerDelivery',
      points: overMembers(target),
    })),
  },
  {
    file: 'cost-by-rooms.svg',
    title: 'What a message costs, by rooms (3,000 messages/s in all)',
    xLabel: 'rooms of four members',
    yLabel: 'CPU, µs a delivery (Redis: a message)',
    lines: [
      { name: 'bcast', metric: 'cpuUsPerDelivery', points: overRooms('bcast') },
      { name: 'with Redis', metric: 'cpuUsPerDelivery', points: overRooms('bcast-redis') },
      { name: 'Redis itself', metric: 'redisCpuUsPerMessage', points: overRooms('bcast-redis') },
    ],
  },
  {
    file: 'cost-by-nodes.svg',
    title: 'What a message to 100 members costs, by nodes',
    xLabel: 'nodes on one Redis',
    yLabel: 'CPU, µs a message',
    lines: [
      { name: 'first node', metric: 'firstCpuUsPerMessage', points: overNodes('nodes-100') },
      { name: 'each other', metric: 'hearingCpuUsPerMessage', points: overNodes('nodes-100') },
      { name: 'Redis', metric: 'redisCpuUsPerMessage', points: overNodes('nodes-100') },
    ],
  },
];

/** The charts of which the results have at least one point; what was not measured is left out. */
export function chartsOf(results: Results): { readonly file: string; readonly chart: Chart }[] {
  return SERIES.flatMap(({ file, lines, ...labels }) => {
    const drawn = lines.map(
      ({ name, metric, points }): Line => ({ name, points: points.flatMap(pointAt(results, metric)) }),
    );
    const there = drawn.filter(({ points }) => points.length > 0);
    return there.length === 0 ? [] : [{ file, chart: { ...labels, lines: there } }];
  });
}

function pointAt(results: Results, metric: Metric) {
  return ({ x, cell, target }: Point) => {
    const figure = figureOf(results, cell, target, metric);
    return figure === undefined ? [] : [{ x, y: figure.mean, spread: figure.spread }];
  };
}
