import type { Results } from '../results.ts';
import { computeMillion } from './arithmetic.ts';
import { FIGURES, type FigureName, readFigures, type Values } from './figures.ts';

/** Which stretch of a document is made, and of what. */
interface Made {
  readonly name: string;
  readonly text: string;
}

/** The document with what is between `<!-- NAME -->` and `<!-- /NAME -->` made anew. Throws when a mark is missing. */
export function remakeTables(document: string, results: Results): string {
  const made: Made[] = [
    { name: 'figures', text: figureTable(results) },
    { name: 'million', text: millionTable(results) },
  ];
  return made.reduce((text, { name, text: table }) => {
    const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
    const [from, to] = [text.indexOf(begin), text.indexOf(end)];
    if (from === -1 || to < from) throw new Error(`the document has no place for ${name}`);
    return `${text.slice(0, from + begin.length)}\n${table}\n${text.slice(to)}`;
  }, document);
}

function figureTable(results: Results): string {
  const known = readFigures(results);
  const rows = (Object.keys(FIGURES) as FigureName[]).map((name) => {
    const { what, unit, cell, target } = FIGURES[name];
    const figure = known[name];
    const value = figure === undefined ? 'not measured' : `${shown(figure.mean)} ±${Math.round(figure.spread * 100)} %`;
    return `| \`${name}\` | ${what} | ${value} | ${unit} | \`${cell}\` of \`${target}\` |`;
  });
  return ['| name | what | figure | unit | cell |', '|---|---|---|---|---|', ...rows].join('\n');
}

function millionTable(results: Results): string {
  const known = readFigures(results);
  const missing = (Object.keys(FIGURES) as FigureName[]).filter((name) => known[name] === undefined);
  if (missing.length > 0) return `Not computed: ${missing.map((name) => `\`${name}\``).join(', ')} were not measured.`;
  const values = Object.fromEntries(Object.entries(known).map(([name, { mean }]) => [name, mean])) as Values;
  const rows = computeMillion(values).map(({ what, how, value }) => `| ${what} | ${how} | ${shown(value)} |`);
  return ['| what | how | |', '|---|---|---|', ...rows].join('\n');
}

/** Three digits that count: the runs do not agree on more. */
function shown(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en-US', { maximumSignificantDigits: 3 });
}
