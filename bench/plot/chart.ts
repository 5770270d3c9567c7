/** A chart of lines as SVG text, readable on light and on dark. */

export interface Line {
  readonly name: string;
  /** `spread`: half the distance between the runs, as a share of y. */
  readonly points: readonly { readonly x: number; readonly y: number; readonly spread: number }[];
}

export interface Chart {
  readonly title: string;
  /** With units. The x axis is logarithmic; the y axis begins with 0. */
  readonly xLabel: string;
  readonly yLabel: string;
  readonly lines: readonly Line[];
}

const WIDTH = 640;
const HEIGHT = 360;
const PLOT = { left: 70, top: 48, right: 620, bottom: 300 };
const LEGEND_STEP = 130;
const Y_TICKS = 5;

/** Told apart also without colour: each line has a mark of its own. */
const STYLES = [
  { color: '#2f7ed8', dash: 'none', mark: 'circle' },
  { color: '#d9822b', dash: '6 4', mark: 'square' },
  { color: '#3a9d5d', dash: '2 3', mark: 'diamond' },
  { color: '#b35fc4', dash: '8 3 2 3', mark: 'circle' },
] as const;

type Style = (typeof STYLES)[number];

/** Grey is read on both grounds; where the viewer knows which it is, the text goes with it. */
const CSS = [
  'text{font:13px system-ui,sans-serif;fill:#6e7781}',
  '.title{font-weight:600;font-size:15px}',
  '.axis{stroke:#8b949e;stroke-width:1}',
  '.grid{stroke:#8b949e;stroke-opacity:.3;stroke-width:1}',
  '@media (prefers-color-scheme:dark){text{fill:#c9d1d9}}',
].join('');

/** Throws when there is no point to draw. */
export function drawChart(chart: Chart): string {
  const xs = [...new Set(chart.lines.flatMap(({ points }) => points.map(({ x }) => x)))].sort((a, b) => a - b);
  const most = Math.max(...chart.lines.flatMap(({ points }) => points.map(({ y, spread }) => y * (1 + spread))));
  if (xs.length === 0) throw new Error(`there is nothing to draw of: ${chart.title}`);
  const step = niceStep(most / Y_TICKS);
  const top = Math.ceil(most / step) * step || 1;
  const x = logarithmic(xs);
  const y = (value: number) => PLOT.bottom - (value / top) * (PLOT.bottom - PLOT.top);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img">`,
    `<title>${escaped(chart.title)}</title>`,
    `<style>${CSS}</style>`,
    text(PLOT.left, 20, chart.title, 'class="title"'),
    ...yAxis(chart.yLabel, top, step, y),
    ...xAxis(chart.xLabel, xs, x),
    ...chart.lines.flatMap((line, i) => drawLine(line, styleOf(i), x, y)),
    ...chart.lines.flatMap((line, i) => legend(line, styleOf(i), PLOT.left + i * LEGEND_STEP)),
    '</svg>\n',
  ].join('\n');
}

function styleOf(place: number): Style {
  return STYLES[place % STYLES.length] as Style;
}

/** 1, 2 or 5 times a power of ten, no less than `least`. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least || 1));
  return ([1, 2, 5, 10].find((factor) => factor * power >= least) ?? 10) * power;
}

function logarithmic(xs: readonly number[]): (value: number) => number {
  const [low, high] = [Math.log(xs[0] ?? 1), Math.log(xs.at(-1) ?? 1)];
  const inset = 30;
  const width = PLOT.right - PLOT.left - 2 * inset;
  const share = (value: number) => (high === low ? 0.5 : (Math.log(value) - low) / (high - low));
  return (value) => PLOT.left + inset + share(value) * width;
}

function yAxis(label: string, top: number, step: number, y: (value: number) => number): string[] {
  const ticks = Array.from({ length: Math.round(top / step) + 1 }, (_, i) => i * step);
  const middle = (PLOT.top + PLOT.bottom) / 2;
  return [
    ...ticks.flatMap((tick) => [
      `<line class="grid" x1="${PLOT.left}" x2="${PLOT.right}" y1="${at(y(tick))}" y2="${at(y(tick))}"/>`,
      text(PLOT.left - 8, y(tick) + 4, number(tick), 'text-anchor="end"'),
    ]),
    text(0, 0, label, `text-anchor="middle" transform="translate(18 ${middle}) rotate(-90)"`),
  ];
}

function xAxis(label: string, xs: readonly number[], x: (value: number) => number): string[] {
  return [
    `<line class="axis" x1="${PLOT.left}" x2="${PLOT.right}" y1="${PLOT.bottom}" y2="${PLOT.bottom}"/>`,
    ...xs.map((value) => text(x(value), PLOT.bottom + 18, number(value), 'text-anchor="middle"')),
    text((PLOT.left + PLOT.right) / 2, PLOT.bottom + 36, label, 'text-anchor="middle"'),
  ];
}

function drawLine({ points }: Line, style: Style, x: (value: number) => number, y: (value: number) => number) {
  const path = points.map((point) => `${at(x(point.x))},${at(y(point.y))}`).join(' ');
  return [
    ...points.map(
      (point) =>
        `<line stroke="${style.color}" x1="${at(x(point.x))}" x2="${at(x(point.x))}" ` +
        `y1="${at(y(point.y * (1 - point.spread)))}" y2="${at(y(point.y * (1 + point.spread)))}"/>`,
    ),
    `<polyline fill="none" stroke="${style.color}" stroke-width="2" stroke-dasharray="${style.dash}" points="${path}"/>`,
    ...points.map((point) => mark(style, x(point.x), y(point.y))),
  ];
}

function legend({ name }: Line, style: Style, left: number): string[] {
  return [
    `<line stroke="${style.color}" stroke-width="2" stroke-dasharray="${style.dash}" x1="${left}" x2="${left + 28}" y1="36" y2="36"/>`,
    mark(style, left + 14, 36),
    text(left + 34, 40, name, ''),
  ];
}

function mark({ color, mark: shape }: Style, x: number, y: number): string {
  if (shape === 'circle') return `<circle cx="${at(x)}" cy="${at(y)}" r="4" fill="${color}"/>`;
  const turn = shape === 'diamond' ? ` transform="rotate(45 ${at(x)} ${at(y)})"` : '';
  return `<rect x="${at(x - 3.5)}" y="${at(y - 3.5)}" width="7" height="7" fill="${color}"${turn}/>`;
}

function text(x: number, y: number, words: string, attributes: string): string {
  return `<text x="${at(x)}" y="${at(y)}" ${attributes}>${escaped(words)}</text>`;
}

function at(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function number(value: number): string {
  return Number(value.toPrecision(6)).toLocaleString('en-US', { maximumFractionDigits: 6 });
}

function escaped(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
