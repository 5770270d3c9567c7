import { expect, test } from 'vitest';
import { countTests } from '../../setup/count-tests.mjs';

const file = (status: string, ...tests: string[]) => ({
  status,
  assertionResults: tests.map((each) => ({ status: each })),
});

test('counts passed and failed tests, and a file that could not be loaded as failed', () => {
  const testResults = [
    file('passed', 'passed', 'passed', 'skipped', 'todo'),
    file('failed', 'passed', 'failed'),
    file('failed'),
    // A hook failed after its tests.
    file('failed', 'passed'),
  ];
  expect(countTests({ testResults })).toEqual({ passed: 4, failed: 3 });
});

test('counts nothing as nothing', () => {
  expect(countTests({ testResults: [] })).toEqual({ passed: 0, failed: 0 });
});
