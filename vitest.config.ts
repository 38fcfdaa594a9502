/**
 * Two projects, because two cores are the least a machine has: `unit` tests share them; `process` tests start sidecars,
 * apps and brokers of their own, so they run one file at a time, after the others.
 */
import { defineConfig } from 'vitest/config';

const exclude = ['**/node_modules/**', '**/dist/**', '**/.servers/**', '**/.mecha/**'];

export default defineConfig({
  test: {
    pool: 'forks',
    allowOnly: false,
    teardownTimeout: 20_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{components,runtime,sdk,specs,samples,scripts,bench}/**/*.test.ts'],
          exclude,
          maxWorkers: 2,
          testTimeout: 30_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'process',
          include: ['test/**/*.test.ts'],
          exclude,
          maxWorkers: 1,
          testTimeout: 180_000,
          hookTimeout: 180_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
