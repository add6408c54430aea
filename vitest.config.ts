import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{core,adapters,agent,bot,worker,infra,manifest,test,bench}/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 30_000,
    // Whole flows run ten real processes: on a busy CI machine one may run out of patience without a fault of ours.
    retry: process.env.CI ? 2 : 0,
    pool: 'forks',
    maxWorkers: 2,
  },
});
