/** `npm run plot`: draws the charts of docs/images/ and makes the tables of docs/SCALING.md from the bench's results. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { drawChart } from './plot/chart.ts';
import { chartsOf } from './plot/charts.ts';
import { remakeTables } from './plot/tables.ts';
import type { Results } from './results.ts';

const DOCS = join(import.meta.dirname, '..', 'docs');

const { values } = parseArgs({
  options: {
    json: { type: 'string', default: join(import.meta.dirname, 'results', 'latest.json') },
    images: { type: 'string', default: join(DOCS, 'images') },
    document: { type: 'string', default: join(DOCS, 'SCALING.md') },
  },
});
const results = JSON.parse(readFileSync(values.json, 'utf8')) as Results;
mkdirSync(values.images, { recursive: true });
for (const { file, chart } of chartsOf(results)) {
  writeFileSync(join(values.images, file), drawChart(chart));
  process.stdout.write(`${join(values.images, file)}\n`);
}
writeFileSync(values.document, remakeTables(readFileSync(values.document, 'utf8'), results));
process.stdout.write(`${values.document}\n`);
