import { defineConfig } from 'vitest/config';

const services = { globalSetup: ['test/support/services.ts'] };

export default defineConfig({
  test: {
    reporters: ['default', './test/support/closing-line-reporter.ts'],
    projects: [
      // No I/O, no clock: seconds in all. The time limit is there for what hangs, not for a machine with much else to do.
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          testTimeout: 30_000,
          sequence: { groupOrder: 0 },
        },
      },
      // Each adapter on its real counterpart, started for this run alone.
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['test/{contract,integration,faults}/**/*.test.ts'],
          exclude: ['**/*.lab.test.ts'],
          ...services,
          maxWorkers: 2,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
      // Whole processes, as a user starts them.
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          ...services,
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 2 },
        },
      },
      // The fault laboratory's experiments, made small: they measure recoveries, so nothing else runs beside them.
      {
        extends: true,
        test: {
          name: 'laboratory',
          include: ['test/faults/**/*.lab.test.ts'],
          ...services,
          fileParallelism: false,
          testTimeout: 600_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
