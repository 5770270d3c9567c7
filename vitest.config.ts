import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Real processes: sockets, native modules and signals behave as they do in the product.
    pool: 'forks',
    // Generous, because a verdict must not depend on how busy the machine is; nothing here waits by sleeping.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // A test that leaves a handle open must not keep the whole run.
    teardownTimeout: 10_000,
    unstubEnvs: true,
    restoreMocks: true,
    // Only with --coverage.
    coverage: {
      provider: 'v8',
      include: ['lib/**/*.{ts,mjs}'],
      reporter: ['text-summary', 'html'],
    },
  },
});
