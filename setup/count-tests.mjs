/**
 * `node setup/count-tests.mjs FILE`: vitest's JSON report as one plain line. A file that could not be loaded counts as a
 * failure, which it is not in vitest's own count of tests. Exits 1 when anything failed or nothing passed.
 */
import { existsSync, readFileSync } from 'node:fs';

/**
 * @typedef {{ status: string }} AssertionResult
 * @typedef {{ status: string, assertionResults: AssertionResult[] }} FileResult
 *
 * @param {{ testResults: FileResult[] }} report
 * @returns {{ passed: number, failed: number }}
 */
export function countTests({ testResults }) {
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
  const failedTests = tests.filter(({ status }) => status === 'failed').length;
  const brokenFiles = testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  ).length;
  return { passed: tests.filter(({ status }) => status === 'passed').length, failed: failedTests + brokenFiles };
}

const [, script = '', file = ''] = process.argv;
if (script.endsWith('count-tests.mjs')) {
  // Without a report vitest did not get to run.
  const report = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { testResults: [] };
  const { passed, failed } = countTests(report);
  console.log(`${passed} passed, ${failed} failed`);
  if (failed > 0 || passed === 0) process.exitCode = 1;
}
