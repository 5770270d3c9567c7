import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** An empty directory that is removed when the test ends. */
export function scratchDir(): string {
  const path = mkdtempSync(join(tmpdir(), 'bcast-test-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
